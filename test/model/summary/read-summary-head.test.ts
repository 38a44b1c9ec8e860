import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import {readSummaryHead} from '../../../model/summary/read-summary-head.ts';
import {writeSummaryHead} from '../../../model/summary/write-summary-head.ts';
import {readSafetensors} from '../../../model/weights/read-safetensors.ts';
import {type WritableTensor, writeSafetensors} from '../../../model/weights/write-safetensors.ts';
import {randomSummaryHead} from './random-summary-head.ts';

async function headFile(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const path = join(folder, 'summary.safetensors');
  await writeSummaryHead(path, randomSummaryHead(), {model: 'abc', floatType: 'F32'});
  return path;
}

test('readSummaryHead reads what writeSummaryHead wrote', async t => {
  const path = await headFile(t);
  const {head, model} = await readSummaryHead(path);
  t.is(model, 'abc');
  const written = randomSummaryHead();
  t.deepEqual(head.shares, written.shares);
  for (const part of ['lexical', 'sketch', 'transformer'] as const)
    t.deepEqual(head[part].weights, written[part].weights);
  await writeSummaryHead(path, written, {model: 'abc'});
  const half = (await readSummaryHead(path)).head.lexical.weights.bias;
  for (const [i, value] of half.entries()) t.true(Math.abs(value - written.lexical.weights.bias[i]!) < 1e-3);
});

type Change = (tensors: Map<string, WritableTensor>, metadata: Record<string, string>) => void;

const changes: readonly [string, Change, RegExp][] = [
  [
    'a missing tensor',
    tensors => tensors.delete('lexical.bias'),
    /hold floats "lexical.bias" \[any\]: current value is missing/,
  ],
  [
    'a projection of other columns',
    tensors => tensors.set('lexical.projection', {shape: [320, 4], data: new Float32Array(1280)}),
    /"lexical.projection" must have shape \[any, 5\]: current value is \[320,4\]/,
  ],
  [
    'a projection of other rows',
    tensors => tensors.set('transformer.projection', {shape: [95, 3], data: new Float32Array(285)}),
    /"transformer.projection" must have shape \[96, any\]: current value is \[95,3\]/,
  ],
  [
    'a projection of one dimension',
    tensors => tensors.set('transformer.projection', {shape: [288], data: new Float32Array(288)}),
    /"transformer.projection" must have shape \[96, any\]: current value is \[288\]/,
  ],
  [
    'another number of inverse frequencies',
    tensors => tensors.set('sketch.inverse_frequencies', {shape: [319], data: new Float32Array(319)}),
    /320 inverse frequencies: current value is 319/,
  ],
  [
    'a mean of no whole number of vectors',
    (_, metadata) => {
      metadata['transformer.width'] = '31';
    },
    /vectors of 31 numbers/,
  ],
  [
    'lexical parts of different vocabularies',
    (_, metadata) => {
      metadata.vocabularySize = '248';
      metadata.pairBuckets = '72';
    },
    /one vocabulary: current sizes are 256 and 248/,
  ],
  [
    'a number that is not finite',
    tensors => tensors.set('lexical.bias', {shape: [5], data: Float32Array.of(0, 0, 0, Number.NaN, 0)}),
    /"lexical.bias" must be finite: current value is NaN/,
  ],
  [
    'integers',
    tensors => tensors.set('lexical.bias', {shape: [5], data: new Int32Array(5)}),
    /hold floats "lexical.bias"/,
  ],
  [
    'no model',
    (_, metadata) => {
      delete metadata.model;
    },
    /name the "model" that it was trained with: current value is missing/,
  ],
  [
    'no share',
    (_, metadata) => {
      delete metadata['share.sketch'];
    },
    /a number for "share.sketch": current value is undefined/,
  ],
  [
    'a share that is no number',
    (_, metadata) => {
      metadata['share.sketch'] = 'much';
    },
    /a number for "share.sketch": current value is "much"/,
  ],
  [
    'shares of more than 1',
    (_, metadata) => {
      metadata['share.sketch'] = '0.5';
    },
    /1 in all: current values are 0.5, 0.5, 0.25/,
  ],
  [
    'a sketch without numbers',
    (_, metadata) => {
      metadata['sketch.dimension'] = '0';
    },
    /dimension must be a positive whole number: current value is 0/,
  ],
];

for (const [what, change, message] of changes) {
  test(`readSummaryHead refuses ${what}`, async t => {
    const path = await headFile(t);
    const {tensors: stored, metadata: kept} = await readSafetensors(path);
    const tensors = new Map(stored as ReadonlyMap<string, WritableTensor>);
    const metadata = Object.fromEntries(kept);
    change(tensors, metadata);
    await writeSafetensors(path, tensors, {metadata});
    const error = await t.throwsAsync(readSummaryHead(path), {instanceOf: ModelError, message});
    t.true(error?.message.startsWith(`Cannot use "${path}" as `), error?.message);
  });
}

test('readSummaryHead refuses what is no safetensors file', async t => {
  const path = await headFile(t);
  await writeFile(path, 'none');
  await t.throwsAsync(readSummaryHead(path), {instanceOf: ModelError});
});
