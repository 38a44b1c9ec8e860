import test from 'ava';
import {LexicalCounts} from '../../../model/lexical/lexical-counts.ts';
import {LexicalSketch} from '../../../model/lexical/lexical-sketch.ts';

const sizes = {vocabularySize: 100, pairBuckets: 0};

function sketchOf(frequencies: (token: number) => number, dimension = 64): LexicalSketch {
  return new LexicalSketch({
    ...sizes,
    inverseFrequencies: Float32Array.from({length: 100}, (_, i) => frequencies(i)),
    dimension,
  });
}

/** Counts in which each token occurs so many times. */
function countsOf(times: Readonly<Record<number, number>>): LexicalCounts {
  const counts = new LexicalCounts(sizes);
  for (const [token, count] of Object.entries(times)) counts.add(new Int32Array(count).fill(Number(token)));
  return counts;
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

test('LexicalSketch makes documents alike that share what stands out', t => {
  // Tokens from 50 on are rare.
  const sketch = sketchOf(token => (token < 50 ? 0.1 : 5), 256);
  const shared = {50: 9, 51: 9, 52: 9};
  const a = sketch.embed(countsOf({...shared, 1: 100, 2: 100}));
  const b = sketch.embed(countsOf({...shared, 3: 100, 4: 100}));
  const c = sketch.embed(countsOf({1: 100, 2: 100, 60: 9, 61: 9, 62: 9}));
  t.true(Math.abs(cosine(a, a) - 1) < 1e-6);
  t.true(cosine(a, b) > 0.9, `${cosine(a, b)}`);
  t.true(Math.abs(cosine(a, c)) < 0.3, `${cosine(a, c)}`);
});

test('LexicalSketch weighs by the root of counts', t => {
  const sketch = sketchOf(() => 1, 4096);
  const one = sketch.embed(countsOf({7: 1}));
  const both = sketch.embed(countsOf({7: 9, 8: 16}));
  t.true(Math.abs(cosine(one, both) - 3 / 5) < 0.02, `${cosine(one, both)}`);
});

test('LexicalSketch keeps the 32 features that stand out most', t => {
  const sketch = sketchOf(token => 1 + token / 100);
  const all = Object.fromEntries(Array.from({length: 100}, (_, token) => [token, 1]));
  const most = Object.fromEntries(Array.from({length: 32}, (_, i) => [68 + i, 1]));
  t.deepEqual(sketch.embed(countsOf(all)), sketch.embed(countsOf(most)));
  t.notDeepEqual(sketch.embed(countsOf(all)), sketch.embed(countsOf({...most, 67: 4})));
});

test('LexicalSketch gives zeros before the first token', t => {
  t.deepEqual([...sketchOf(() => 1, 3).embed(new LexicalCounts(sizes))], [0, 0, 0]);
});
