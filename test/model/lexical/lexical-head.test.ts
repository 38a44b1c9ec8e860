import test from 'ava';
import {LexicalCounts} from '../../../model/lexical/lexical-counts.ts';
import {lexicalFeatures} from '../../../model/lexical/lexical-features.ts';
import {LexicalHead} from '../../../model/lexical/lexical-head.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

const sizes = {vocabularySize: 50, pairBuckets: 16};

function randomTokens(count: number, seed: number): Int32Array {
  const random = seededRandom(seed);
  return Int32Array.from({length: count}, () => Math.floor(random() ** 2 * 50));
}

function randomHead(d: number): LexicalHead {
  const random = seededRandom(d);
  const normal = (length: number) => Float32Array.from({length}, () => random() - 0.5);
  return new LexicalHead({projection: normal(50 * d), bias: normal(d)});
}

test('LexicalCounts counts tokens, and pairs of neighbours in buckets', t => {
  const counts = new LexicalCounts(sizes);
  counts.add(Int32Array.of(3, 3, 7));
  t.is(counts.counts[3], 2);
  t.is(counts.counts[7], 1);
  t.is(
    counts.counts.subarray(0, 50).reduce((a, b) => a + b),
    3,
  );
  t.is(
    counts.counts.subarray(50).reduce((a, b) => a + b),
    2,
  );
});

test('LexicalCounts tells a pair from its reverse', t => {
  const many = {vocabularySize: 50, pairBuckets: 2 ** 16};
  const bucket = (...pair: number[]) => {
    const counts = new LexicalCounts(many);
    counts.add(Int32Array.from(pair));
    return counts.counts.subarray(50).indexOf(1);
  };
  const buckets = new Set(Array.from({length: 2500}, (_, i) => bucket(i % 50, Math.floor(i / 50))));
  t.true(buckets.size > 2400, `${buckets.size}`);
});

test('LexicalCounts are the same however a document is cut', t => {
  const tokens = randomTokens(500, 1);
  const whole = new LexicalCounts(sizes);
  whole.add(tokens);
  let pieces = new LexicalCounts(sizes);
  for (let start = 0; start < 500; start += 7) {
    const before = pieces;
    pieces = pieces.copy();
    pieces.add(tokens.subarray(start, start + 7));
    t.notDeepEqual(before.counts, pieces.counts);
  }
  t.deepEqual(pieces.counts, whole.counts);
});

test('LexicalCounts without buckets counts tokens alone', t => {
  const counts = new LexicalCounts({vocabularySize: 4, pairBuckets: 0});
  counts.add(Int32Array.of(0, 1, 1));
  t.deepEqual([...counts.counts], [1, 2, 0, 0]);
});

test('LexicalCounts refuses tokens and sizes that are none', t => {
  const counts = new LexicalCounts(sizes);
  for (const token of [50, -1]) {
    t.throws(() => counts.add(Int32Array.of(token)), {
      instanceOf: RangeError,
      message: new RegExp(`below 50: current value is ${token}$`),
    });
  }
  t.throws(() => new LexicalCounts({vocabularySize: 0, pairBuckets: 2}), {instanceOf: RangeError});
  for (const pairBuckets of [3, -1, 2 ** 25]) {
    t.throws(() => new LexicalCounts({vocabularySize: 1, pairBuckets}), {
      instanceOf: RangeError,
      message: /power of two/,
    });
  }
});

test('lexicalFeatures damp counts by their root and have length 1', t => {
  const {indices, values} = lexicalFeatures(Uint32Array.of(0, 1, 0, 9));
  t.deepEqual([...indices], [1, 3]);
  t.true(Math.abs(values[1]! / values[0]! - 3) < 1e-6);
  t.true(Math.abs(Math.hypot(...values) - 1) < 1e-6);
});

test('LexicalHead projects features, less the mean, to length 1', t => {
  const head = randomHead(5);
  const counts = new LexicalCounts(sizes);
  counts.add(randomTokens(300, 2));
  const {projection, bias} = head.weights;
  const damped = [...counts.counts.subarray(0, 50)].map(Math.sqrt);
  const norm = Math.hypot(...damped);
  const sums = [...bias].map((value, j) =>
    damped.reduce((sum, x, i) => sum + (x / norm) * projection[i * 5 + j]!, -value),
  );
  const vector = head.embed(counts);
  for (const [j, value] of vector.entries()) t.true(Math.abs(value - sums[j]! / Math.hypot(...sums)) < 1e-6);
});

test('LexicalHead gives zeros before the first token', t => {
  t.deepEqual([...randomHead(3).embed(new LexicalCounts(sizes))], [0, 0, 0]);
});

test('LexicalHead refuses weights that do not fit', t => {
  t.throws(() => new LexicalHead({projection: new Float32Array(67), bias: new Float32Array(2)}), {
    instanceOf: RangeError,
    message: /rows of 2 numbers: current value is 67 numbers/,
  });
});

test('LexicalCounts stand still when they are full', t => {
  const counts = LexicalCounts.restore(
    {counts: Uint32Array.of(2 ** 32 - 2, 0), lastToken: -1},
    {vocabularySize: 2, pairBuckets: 0},
  );
  counts.add(Int32Array.of(0, 0, 0, 1));
  t.deepEqual([...counts.counts], [2 ** 32 - 1, 1]);
});

test('LexicalCounts refuse to go on from counts of other sizes', t => {
  t.throws(() => LexicalCounts.restore({counts: new Uint32Array(65), lastToken: -1}, sizes), {
    instanceOf: RangeError,
    message: /66 counts must have been kept: current value is 65$/,
  });
});
