import test from 'ava';
import {LexicalCounts} from '../../../model/lexical/lexical-counts.ts';
import {type DocumentSummary, SummaryHead} from '../../../model/summary/summary-head.ts';
import {TransformerHead} from '../../../model/summary/transformer-head.ts';
import {seededRandom} from '../../operators/seeded-random.ts';
import {randomSummaryHead} from './random-summary-head.ts';

const random = seededRandom(3);
const numbers = (length: number) => Float32Array.from({length}, () => random() - 0.5);

function counted(head: SummaryHead, tokens: number): LexicalCounts {
  const counts = new LexicalCounts(head.sizes);
  counts.add(Int32Array.from({length: tokens}, () => Math.floor(random() ** 2 * 256)));
  return counts;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
}

test('SummaryHead joins its parts so that cosines are their mean by shares', t => {
  const shares = {lexical: 0.5, sketch: 0.2, transformer: 0.3};
  const head = randomSummaryHead({shares});
  t.deepEqual(head.parts, {lexical: 5, sketch: 6, transformer: 3});
  const summary = (tokens: number): DocumentSummary => ({
    counts: counted(head, tokens),
    hiddenSum: numbers(32),
    compressedMeans: numbers(64),
  });
  const [a, b] = [summary(200), summary(300)];
  const [x, y] = [head.embed(a), head.embed(b)];
  t.is(x.length, 14);
  t.true(Math.abs(dot(x, x) - 1) < 1e-6);
  const expected =
    0.5 * dot(head.lexical.embed(a.counts), head.lexical.embed(b.counts)) +
    0.2 * dot(head.sketch.embed(a.counts), head.sketch.embed(b.counts)) +
    0.3 * dot(head.transformer.embed(a), head.transformer.embed(b));
  t.true(Math.abs(dot(x, y) - expected) < 1e-6);
  t.true(Math.abs(dot(x.subarray(0, 5), x.subarray(0, 5)) - 0.5) < 1e-6, 'the lexical part comes first');
  t.true(Math.abs(dot(x.subarray(11), x.subarray(11)) - 0.3) < 1e-6, 'the transformer comes last');
});

test('SummaryHead refuses shares that are none, and parts of two vocabularies', t => {
  for (const shares of [
    {lexical: 1, sketch: 0.5, transformer: 0},
    {lexical: 1.5, sketch: -0.5, transformer: 0},
    {lexical: Number.NaN, sketch: 0.5, transformer: 0.5},
  ]) {
    t.throws(() => randomSummaryHead({shares}), {instanceOf: RangeError, message: /1 in all: current values are /});
  }
  const {lexical, transformer, shares} = randomSummaryHead();
  const {sketch} = randomSummaryHead({vocabularySize: 300});
  t.throws(() => new SummaryHead({lexical, sketch, transformer, shares}), {
    instanceOf: RangeError,
    message: /one vocabulary: current sizes are 256 and 300$/,
  });
});

test('TransformerHead projects directions of hidden vectors and memories, less the mean', t => {
  const [width, features] = [4, 12];
  const mean = numbers(features);
  const projection = numbers(features * 3);
  const head = new TransformerHead({width, mean, projection});
  const [hiddenSum, compressedMeans] = [numbers(4), numbers(8)];
  const unit = (values: Float32Array) => [...values].map(value => value / Math.hypot(...values));
  const directions = [
    ...unit(hiddenSum),
    ...unit(compressedMeans.subarray(0, 4)),
    ...unit(compressedMeans.subarray(4)),
  ];
  const projected = (count: number) =>
    Array.from({length: 3}, (_, j) =>
      directions.slice(0, count).reduce((sum, value, i) => sum + (value - mean[i]!) * projection[i * 3 + j]!, 0),
    );
  const close = (a: Float32Array, b: readonly number[]) =>
    a.every((value, j) => Math.abs(value - b[j]! / Math.hypot(...b)) < 1e-6);
  t.true(close(head.embed({hiddenSum, compressedMeans}), projected(12)));
  t.true(close(head.embed({hiddenSum: hiddenSum.map(x => 1000 * x), compressedMeans}), projected(12)), 'any length');
  t.true(close(head.embed({hiddenSum, compressedMeans: new Float32Array()}), projected(4)), 'nothing compressed yet');
});

test('TransformerHead that knows hidden vectors only takes no notice of memories', t => {
  const head = new TransformerHead({width: 4, mean: numbers(4), projection: numbers(12)});
  const hiddenSum = numbers(4);
  const alone = head.embed({hiddenSum, compressedMeans: new Float32Array()});
  t.deepEqual(head.embed({hiddenSum, compressedMeans: numbers(8)}), alone);
});

test('TransformerHead refuses weights and features that do not fit', t => {
  for (const [weights, message] of [
    [{width: 5, mean: numbers(12), projection: numbers(36)}, /vectors of 5 numbers: current value is 12 numbers/],
    [{width: 4, mean: numbers(0), projection: numbers(0)}, /vectors of 4 numbers: current value is 0 numbers/],
    [{width: 4, mean: numbers(12), projection: numbers(37)}, /12 rows: current value is 37 numbers/],
    [{width: 4, mean: numbers(12), projection: numbers(0)}, /12 rows: current value is 0 numbers/],
  ] as const) {
    t.throws(() => new TransformerHead(weights), {instanceOf: RangeError, message});
  }
  const head = new TransformerHead({width: 4, mean: numbers(12), projection: numbers(36)});
  t.throws(() => head.embed({hiddenSum: numbers(4), compressedMeans: numbers(4)}), {
    instanceOf: RangeError,
    message: /takes 12 features: current value is 8$/,
  });
});
