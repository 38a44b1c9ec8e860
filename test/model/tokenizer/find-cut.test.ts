import test from 'ava';
import type {CutRule} from '../../../model/tokenizer/cut-rule.ts';
import {findCut, longestStretch} from '../../../model/tokenizer/find-cut.ts';

const rule: CutRule = {
  before: new Uint8Array(128).fill(1, 0x20, 0x21),
  afterLineBreak: true,
  beforeIdeographicStop: true,
  beforeIdeograph: true,
  classOf: codePoint => (codePoint === 0x20 || codePoint === 0x0a ? 0 : codePoint > 0x10000 ? 0 : 7),
};

function stretches(text: string): string[] {
  const bytes = Buffer.from(text);
  const result: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = findCut(bytes, start, {rule, last: true})!;
    result.push(bytes.toString('utf8', start, end));
    start = end;
  }
  return result;
}

test('findCut cuts where the rule allows', t => {
  t.deepEqual(stretches('a b  c'), ['a', ' b', '  c']);
  t.deepEqual(stretches('é b👩 c'), ['é', ' b👩 c']);
  t.deepEqual(stretches('a\nb\n\nc\n/'), ['a\n', 'b\n\nc\n/']);
  t.deepEqual(stretches('\nb'), ['\nb']);
  t.deepEqual(stretches('ab灯塔，c'), ['ab', '灯', '塔', '，c']);
  t.deepEqual(stretches(''), []);
});

test('findCut waits for what follows unless it is the last', t => {
  t.is(findCut(Buffer.from('word'), 0, {rule, last: false}), undefined);
  t.is(findCut(Buffer.from('word '), 0, {rule, last: false}), 4);
  t.is(findCut(Buffer.from('word'), 0, {rule, last: true}), 4);
});

test('findCut cuts text that cannot be cut at the last character within the longest stretch', t => {
  const bytes = Buffer.from(`a${'é'.repeat(longestStretch)}`);
  t.is(findCut(bytes, 0, {rule, last: false}), longestStretch - 1);
  t.is(findCut(bytes.subarray(0, longestStretch + 1), 0, {rule, last: false}), longestStretch - 1);
  t.is(findCut(bytes.subarray(0, longestStretch - 1), 0, {rule, last: false}), undefined);
  t.is(findCut(bytes.subarray(0, longestStretch - 1), 0, {rule, last: true}), longestStretch - 1);
  // A place to cut right behind the longest stretch is taken, one byte later is too late.
  const words = (length: number): Buffer => Buffer.from(`${'x'.repeat(length)} y`);
  t.is(findCut(words(longestStretch), 0, {rule, last: false}), longestStretch);
  t.is(findCut(words(longestStretch + 1), 0, {rule, last: false}), longestStretch);
});
