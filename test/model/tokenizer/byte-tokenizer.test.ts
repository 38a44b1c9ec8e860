import test from 'ava';
import {ByteTokenizer} from '../../../model/tokenizer/byte-tokenizer.ts';
import {sampleText} from './sample-text.ts';

const none = new Uint8Array();
const tokenizer = new ByteTokenizer();

/** Pushes pieces and checks that no byte is lost on the way. */
function pushPieces(pieces: readonly Uint8Array[]): {ids: number[]; byteLengths: number[]; replaced: number} {
  let carry: Uint8Array = none;
  const result = {ids: [] as number[], byteLengths: [] as number[], replaced: 0};
  for (const [i, piece] of [...pieces, none].entries()) {
    const chunk = tokenizer.push(carry, piece, i === pieces.length);
    const consumed = chunk.byteLengths.reduce((a, b) => a + b, 0);
    if (consumed + chunk.carry.length !== carry.length + piece.length) throw new Error('bytes are lost');
    if (chunk.carry.length > 3) throw new Error('more than the start of a character is held back');
    result.ids.push(...chunk.ids);
    result.byteLengths.push(...chunk.byteLengths);
    result.replaced += chunk.replaced;
    carry = chunk.carry;
  }
  return result;
}

test('ByteTokenizer gives the bytes of well-formed text, a byte order mark included', t => {
  const text = Buffer.from(`\ufeff${sampleText}`);
  const {ids, byteLengths, carry, replaced} = tokenizer.push(none, text, false);
  t.deepEqual([...ids], [...text]);
  t.true(byteLengths.every(length => length === 1));
  t.is(carry.length, 0);
  t.is(replaced, 0);
  t.is(tokenizer.decode(ids), `\ufeff${sampleText}`);
});

test('ByteTokenizer gives the same tokens split at every byte', t => {
  const text = Buffer.from(sampleText.slice(0, 700));
  for (let split = 0; split <= text.length; split++) {
    const parts = pushPieces([text.subarray(0, split), text.subarray(split)]);
    t.true(Buffer.from(parts.ids).equals(text));
  }
});

test('ByteTokenizer replaces ill-formed UTF-8 as the WHATWG decoder does, however it is split', t => {
  // Every lead byte with good, bad and missing continuations, and boundaries of each range.
  const interesting = [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf1, 0xf4, 0xf5];
  const sequences: number[][] = [];
  for (const a of interesting) {
    for (const b of interesting)
      for (const c of interesting) for (const d of [0x41, 0x80, 0xe1]) sequences.push([a, b, c, d]);
  }
  sequences.push([], [0xf0, 0x9f, 0x91], [0xf0, 0x9f, 0x91, 0x8d, 0xf0], [0xff], [0xef, 0xbb]);
  for (const sequence of sequences) {
    const bytes = Uint8Array.from(sequence);
    const text = new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes);
    const expected = [...Buffer.from(text)];
    const whole = pushPieces([bytes]);
    if (Buffer.compare(Buffer.from(whole.ids), Buffer.from(expected)) !== 0)
      t.deepEqual(whole.ids, expected, `${sequence}`);
    if (whole.replaced !== text.split('\ufffd').length - 1) t.fail(`${sequence}: ${whole.replaced} replaced`);
    for (let split = 0; split <= bytes.length; split++) {
      const parts = pushPieces([bytes.subarray(0, split), bytes.subarray(split)]);
      if (JSON.stringify(parts) !== JSON.stringify(whole)) t.deepEqual(parts, whole, `${sequence} split at ${split}`);
    }
    const single = pushPieces(sequence.map(byte => Uint8Array.of(byte)));
    if (JSON.stringify(single) !== JSON.stringify(whole)) t.deepEqual(single, whole, `${sequence} byte by byte`);
  }
  t.pass();
});

test('ByteTokenizer counts the bytes of the input for what it replaces', t => {
  const {ids, byteLengths} = tokenizer.push(none, Uint8Array.of(0x41, 0xf0, 0x9f, 0x42, 0xff), true);
  t.deepEqual([...ids], [0x41, 0xef, 0xbf, 0xbd, 0x42, 0xef, 0xbf, 0xbd]);
  t.deepEqual([...byteLengths], [1, 1, 1, 0, 1, 1, 0, 0]);
});

test('ByteTokenizer holds back only what may still become a character', t => {
  t.deepEqual([...tokenizer.push(none, Uint8Array.of(0xe4, 0xb8), false).carry], [0xe4, 0xb8]);
  for (const bytes of [[0xe0, 0x80], [0xf0, 0x8f, 0x80], [0xed, 0xa0], [0xc1], [0x80, 0x80, 0x80]]) {
    const {carry, replaced} = tokenizer.push(none, Uint8Array.from(bytes), false);
    t.is(carry.length, 0);
    t.is(replaced, bytes.length);
  }
});

test('ByteTokenizer keeps no reference to the chunk it was given', t => {
  const content = Buffer.of(0x41, 0xf0, 0x9f);
  const {ids, carry} = tokenizer.push(none, content, false);
  content.fill(0);
  t.deepEqual([...ids], [0x41]);
  t.deepEqual([...carry], [0xf0, 0x9f]);
});

test('ByteTokenizer refuses to decode what is not a byte', t => {
  for (const id of [-1, 256, 1.5, Number.NaN]) t.throws(() => tokenizer.decode([id]), {instanceOf: RangeError});
});
