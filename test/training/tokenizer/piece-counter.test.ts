import test from 'ava';
import {knownSplitPatterns} from '../../../model/tokenizer/known-split-patterns.ts';
import {PieceCounter} from '../../../training/tokenizer/piece-counter.ts';
import {splitPattern} from '../../../training/tokenizer/split-pattern.ts';
import {sampleText} from '../../model/tokenizer/sample-text.ts';

function count(texts: readonly Uint8Array[][], options = {}): [string, number][] {
  const counter = new PieceCounter(options);
  for (const pieces of texts) {
    for (const piece of pieces) counter.push(piece);
    counter.endText();
  }
  return [...counter].map(([piece, times]) => [piece, times]);
}

test('splitPattern is one by which text can be cut for streaming', t => {
  t.true(knownSplitPatterns.has(splitPattern));
});

test('PieceCounter parts words by case, numbers by three digits, and keeps line ends with punctuation', t => {
  const text = "Don't read McGuffey, 12345\r\n\r\n  (twice) twice.\r\nTHE END";
  t.deepEqual(
    count([[Buffer.from(text)]]).map(([piece]) => piece),
    [
      'Don',
      "'t",
      ' read',
      ' Mc',
      'Guffey',
      ',',
      ' ',
      '123',
      '45',
      '\r\n\r\n',
      ' (',
      'twice',
      ')',
      ' twice',
      '.\r\n',
      'THE',
      ' END',
    ],
  );
});

test('PieceCounter counts the same however a text is cut', t => {
  const bytes = Buffer.from(`${sampleText} ${sampleText}`);
  const whole = count([[bytes]]);
  for (const size of [1, 2, 7, 100]) {
    const pieces = Array.from({length: Math.ceil(bytes.length / size)}, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    t.deepEqual(count([pieces]), whole, `${size} bytes at a time`);
  }
});

test('PieceCounter keeps texts apart', t => {
  t.deepEqual(count([[Buffer.from('no')], [Buffer.from('on')], [Buffer.from('no')]]), [
    ['no', 2],
    ['on', 1],
  ]);
});

test('PieceCounter counts text without a space, held back only so far', t => {
  const counted = count([Array.from({length: 300}, () => Buffer.from('ab'.repeat(512)))]);
  t.is(
    counted.reduce((sum, [piece, times]) => sum + piece.length * times, 0),
    300 * 1024,
  );
  t.true(counted.every(([piece]) => piece.length < 70_000));
});

test('PieceCounter forgets the rarest pieces when they would take more than their bound', t => {
  const words = Array.from({length: 2000}, (_, i) => String.fromCodePoint(0x4e00 + i));
  const text = [...words.slice(0, 20), ...words.slice(0, 20), ...words].join(' ');
  const counted = count([[Buffer.from(text)]], {mostBytes: 20_000});
  t.true(counted.length < 20_000 / 64);
  for (const word of words.slice(1, 20)) t.is(new Map(counted).get(` ${word}`), 3);
});

test('PieceCounter refuses a bound that is none', t => {
  t.throws(() => new PieceCounter({mostBytes: 0}), {instanceOf: RangeError, message: /current value is 0/});
});
