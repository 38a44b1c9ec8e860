import test from 'ava';
import {comparisonRuns} from '../../../bench/comparison/comparison-runs.ts';
import {comparisonTables} from '../../../bench/comparison/comparison-tables.ts';
import type {Evaluation, Measured} from '../../../training/evaluation/evaluate.ts';

const measured = (bitsPerByte: number): Measured => ({
  bytes: 100,
  tokens: 50,
  words: 20,
  bits: 100 * bitsPerByte,
  bitsPerByte,
  perplexityPerWord: 1,
});

const evaluation = (books: readonly number[]): Evaluation => ({
  total: measured(books.reduce((sum, bits) => sum + bits) / books.length),
  documents: books.map((bits, index) => ({id: `book-${index}`, ...measured(bits), bySeen: []})),
  bySeen: [
    {fromToken: 0, toToken: 1000, documents: 2, bytes: 10, tokens: 5, bits: 30, bitsPerByte: 3},
    {fromToken: 2000, toToken: 5000, documents: 2, bytes: 30, tokens: 5, bits: 60, bitsPerByte: 2},
    {fromToken: 5000, toToken: 10_000, documents: 2, bytes: 30, tokens: 5, bits: 3, bitsPerByte: 0.1},
    {fromToken: 100_000, toToken: 200_000, documents: 2, bytes: 10, tokens: 5, bits: 15, bitsPerByte: 1.5},
  ],
});

test('comparisonTables counts the books that a run predicts better than the Transformer-XL of equal cost and seed', t => {
  const [transformerXl, compressive] = comparisonRuns;
  const lines = comparisonTables([
    {run: transformerXl!, evaluation: evaluation([2, 2, 2])},
    {run: compressive!, evaluation: evaluation([1.9, 2.1, 1.7])},
    {run: {...compressive!, seed: 9}, evaluation: evaluation([1, 1, 1])},
    {run: {...compressive!, compressedMemoryLength: 32}, evaluation: evaluation([1, 1, 1])},
    {run: {...compressive!, segmentLength: 16}, evaluation: evaluation([1, 1, 1])},
  ]).split('\n');
  const cells = lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  );
  t.deepEqual(cells, [
    ['transformer-xl-128-seed-1', '2.0000', '', '2.2500', '1.5000'],
    ['compressive-64-64-convolution-attention-reconstruction-seed-1', '1.9000', '2 of 3', '2.2500', '1.5000'],
    ['compressive-64-64-convolution-attention-reconstruction-seed-9', '1.0000', '', '2.2500', '1.5000'],
    ['compressive-64-32-convolution-attention-reconstruction-seed-1', '1.0000', '', '2.2500', '1.5000'],
    ['compressive-64-64-convolution-attention-reconstruction-segments-16-seed-1', '1.0000', '', '2.2500', '1.5000'],
  ]);
});
