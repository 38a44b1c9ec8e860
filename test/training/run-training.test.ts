import {cpSync, existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ModelError, NumericalError} from '../../errors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {readModelDirectory} from '../../model/model-directory/read-model-directory.ts';
import {ByteTokenizer} from '../../model/tokenizer/byte-tokenizer.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {readSafetensors} from '../../model/weights/read-safetensors.ts';
import {parseTrainingConfig} from '../../training/parse-training-config.ts';
import {type RunTrainingOptions, runTraining} from '../../training/run-training.ts';
import type {TrainingLogLine} from '../../training/training-log.ts';
import {temporaryFolder} from '../connectors/temporary-folder.ts';
import {relativeError} from '../model/relative-error.ts';
import {sampleCorpus} from './text-documents.ts';

const sizes = {
  segmentLength: 8,
  memoryLength: 8,
  compressedMemoryLength: 8,
  compressionRate: 2,
  compressor: 'convolution',
  layers: 2,
  heads: 2,
  modelWidth: 16,
  feedForwardWidth: 32,
} as const;

const fields = {
  name: 'sample',
  model: sizes,
  steps: 12,
  batch: 4,
  microBatch: 2,
  learningRate: {peak: 0.01, warmUpSteps: 3},
  clip: {main: 1, auxiliary: 1},
  dropout: 0.1,
  updates: [
    {fromStep: 0, every: 1},
    {fromStep: 4, every: 3},
  ],
  validateEvery: 4,
  validationTokens: 64,
  saveEvery: 5,
  logEvery: 2,
};

test.serial.before(async () => {
  await openEngine('native');
});

async function options(
  out: string,
  changes: object = {},
  lengths: readonly number[] = [90, 41, 300, 9, 77],
): Promise<RunTrainingOptions> {
  const training = parseTrainingConfig({...fields, ...changes});
  const config: ModelConfig = {...(training.model as typeof sizes), vocabularySize: 256};
  return {
    training,
    config,
    tokenizer: new ByteTokenizer(),
    weights: initialiseWeights(config, training.seed),
    corpus: await sampleCorpus(lengths),
    validation: await sampleCorpus([200, 30], 50),
    out,
  };
}

async function weightsOf(out: string, which: 'best' | 'last' = 'last'): Promise<Map<string, number[]>> {
  const {weights} = await readModelDirectory(join(out, which));
  return new Map([...weights].map(([name, {data}]) => [name, [...data]]));
}

/** Aborts when a step is done. */
function abortAt(step: number): Pick<RunTrainingOptions, 'signal' | 'onProgress'> {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: progress => {
      if (progress.step >= step) controller.abort();
    },
  };
}

function log(out: string): TrainingLogLine[] {
  const lines = readFileSync(join(out, 'log.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map(line => JSON.parse(line) as TrainingLogLine);
}

for (const changes of [
  {},
  {precision: 'auto'},
  {compressionLoss: 'auto-encoding'},
  {compressionLoss: 'backpropagation'},
  {model: {...sizes, compressor: 'most-used'}},
  {model: {...sizes, compressor: 'dilated-convolution', segmentLength: 7, memoryLength: 9}},
  {model: {...sizes, compressor: 'mean-pool', compressedMemoryLength: 0}},
]) {
  test.serial(`runTraining goes on from a stop to the same bits: ${JSON.stringify(changes)}`, async t => {
    const folder = temporaryFolder(t);
    const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')];
    await runTraining(await options(whole, changes));
    for (const step of [2, 6, 8]) {
      const {stopped} = await runTraining({...(await options(parts, changes)), ...abortAt(step), resume: true});
      t.true(stopped);
    }
    const {step, stopped} = await runTraining({...(await options(parts, changes)), resume: true});
    t.deepEqual({step, stopped}, {step: 12, stopped: false});
    t.deepEqual(await weightsOf(parts), await weightsOf(whole));
  });
}

test.serial('runTraining goes on from an earlier save to the same bits, log included', async t => {
  const folder = temporaryFolder(t);
  const [whole, cut] = [join(folder, 'whole'), join(folder, 'cut')];
  await runTraining({...(await options(cut)), ...abortAt(6)});
  // As after a crash: later lines of the log are there, the state is not.
  cpSync(cut, join(folder, 'saved'), {recursive: true});
  await runTraining({...(await options(cut)), ...abortAt(8), resume: true});
  cpSync(join(folder, 'saved', 'training.safetensors'), join(cut, 'training.safetensors'));
  await runTraining({...(await options(cut)), resume: true});
  await runTraining(await options(whole));
  t.deepEqual(await weightsOf(cut), await weightsOf(whole));
  t.deepEqual(await weightsOf(cut, 'best'), await weightsOf(whole, 'best'));
  const steps = (out: string) => log(out).map(({step, validationBitsPerByte}) => [step, validationBitsPerByte]);
  t.deepEqual(steps(cut), steps(whole));
});

test.serial('runTraining learns, writes a log and a picture, and keeps the best model', async t => {
  const out = temporaryFolder(t);
  const given = await options(out, {
    steps: 60,
    learningRate: {peak: 0.03},
    updates: undefined,
    logEvery: 20,
    validateEvery: 20,
  });
  const result = await runTraining(given);
  const lines = log(out);
  const losses = lines.map(({loss}) => loss).filter(loss => loss !== undefined);
  t.is(losses.length, 3);
  t.true(losses.at(-1)! < 0.7 * losses[0]!, String(losses));
  const validations = lines.flatMap(({validationBitsPerByte: bits}) => (bits === undefined ? [] : [bits]));
  t.is(result.best, Math.min(...validations));
  t.regex(readFileSync(join(out, 'curves.svg'), 'utf8'), /^<svg .*<polyline points="[\d., ]+".*<\/svg>\n$/s);
  t.true((await readModelDirectory(join(out, 'best'))).trained);
  for (const name of [
    'auxiliaryLoss',
    'gradientNorm',
    'auxiliaryGradientNorm',
    'tokensPerSecond',
    'learningRate',
  ] as const) {
    t.true(lines[0]![name]! > 0, name);
  }
});

test.serial('runTraining computes the same gradients by micro-batches as by whole ones', async t => {
  const folder = temporaryFolder(t);
  const moments = async (microBatch: number) => {
    const out = join(folder, `${microBatch}`);
    // Documents of unequal lengths, so that parts have unequal numbers of targets, and compress in unequal numbers.
    const changes = {dropout: 0, steps: 3, learningRate: {peak: 1e-9, floor: 0}, clip: {main: 1e6, auxiliary: 1e6}};
    await runTraining(await options(out, {...changes, updates: [{fromStep: 0, every: 3}], microBatch}));
    const {tensors} = await readSafetensors(join(out, 'training.safetensors'));
    return new Map([...tensors].filter(([name]) => name.startsWith('first.')));
  };
  const [parts, whole] = [await moments(1), await moments(4)];
  for (const [name, {data}] of parts) {
    const error = relativeError(data as Float32Array, whole.get(name)!.data as Float32Array);
    t.true(error < 1e-4, `${name}: ${error}`);
  }
});

async function trainOnce(t: ExecutionContext): Promise<string> {
  const out = temporaryFolder(t);
  await runTraining({...(await options(out)), ...abortAt(6)});
  return out;
}

test.serial('runTraining refuses a folder that holds a run, unless it goes on with it', async t => {
  const out = await trainOnce(t);
  const error = await t.throwsAsync(runTraining(await options(out)), {instanceOf: ModelError});
  t.is(
    error.message,
    `Cannot train into "${out}" as it holds a run of 6 steps: go on with it by "--resume", or choose another folder`,
  );
});

test.serial('runTraining refuses to go on with other documents', async t => {
  const out = await trainOnce(t);
  const before = readFileSync(join(out, 'training.safetensors'));
  const changed = {...(await options(out, {}, [90, 42, 300, 9, 77])), resume: true};
  await t.throwsAsync(runTraining(changed), {
    message: /as its training documents must be the same, .*they have changed/,
  });
  t.deepEqual(readFileSync(join(out, 'training.safetensors')), before);
});

test.serial('runTraining refuses to go on with another configuration, and names what differs', async t => {
  const out = await trainOnce(t);
  for (const [changes, rule] of [
    [{model: {...sizes, layers: 3}}, /layers must be as when it began, 2: current value is 3/],
    [{batch: 2}, /batch must be as when it began, 4: current value is 2/],
    [{seed: 2}, /seed must be as when it began, 1: current value is 2/],
    [{steps: 99}, /steps must be as when it began, 12: current value is 99/],
  ] as const) {
    await t.throwsAsync(runTraining({...(await options(out, changes)), resume: true}), {message: rule});
  }
  // What is shown and saved how often may change.
  await runTraining({...(await options(out, {saveEvery: 1, logEvery: 1, validateEvery: 100})), resume: true});
  t.pass();
});

test.serial('runTraining stops at a loss that is not finite, says where, and saves nothing', async t => {
  const out = temporaryFolder(t);
  const given = await options(out);
  const weights = new Map(given.weights);
  const embedding = weights.get('embedding.weight')!;
  const letter = 'k'.charCodeAt(0);
  const data = embedding.data.slice().fill(Number.NaN, letter * sizes.modelWidth, (letter + 1) * sizes.modelWidth);
  weights.set('embedding.weight', {...embedding, data});
  await t.throwsAsync(runTraining({...given, weights}), {
    instanceOf: NumericalError,
    message:
      /^Cannot go on training at step 1 as the loss of "text \d" at token \d+ must be finite: current value is NaN; /,
  });
  t.false(existsSync(join(out, 'training.safetensors')));
});
