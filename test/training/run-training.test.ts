import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
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
import {readTrainingState, writeTrainingState} from '../../training/training-state-file.ts';
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
    t.deepEqual(await weightsOf(parts, 'best'), await weightsOf(whole, 'best'));
    t.deepEqual(
      log(parts).filter(({validationBitsPerByte}) => validationBitsPerByte !== undefined),
      log(whole).filter(({validationBitsPerByte}) => validationBitsPerByte !== undefined),
    );
  });
}

test.serial('runTraining makes up for the last validation if it was stopped in it', async t => {
  const folder = temporaryFolder(t);
  const [whole, stopped] = [join(folder, 'whole'), join(folder, 'stopped')];
  const expected = await runTraining(await options(whole));
  t.true((await runTraining({...(await options(stopped)), ...abortAt(12)})).stopped);
  t.deepEqual(await runTraining({...(await options(stopped)), resume: true}), expected);
  t.deepEqual(await weightsOf(stopped, 'best'), await weightsOf(whole, 'best'));
});

test.serial('runTraining refuses a folder in which another run is at work, and gives it back', async t => {
  const folder = temporaryFolder(t);
  const [out, alone] = [join(folder, 'shared'), join(folder, 'alone')];
  const refusals: Promise<unknown>[] = [];
  const second = async () =>
    t.throwsAsync(runTraining({...(await options(out)), resume: true}), {instanceOf: ModelError});
  await runTraining({...(await options(out)), onBegin: () => refusals.push(second())});
  const [error] = (await Promise.all(refusals)) as [ModelError];
  t.is(
    error.message,
    `Cannot train into "${out}" as only one run may write it at a time: this process (${process.pid}) does; wait until it ends, or choose another folder`,
  );
  t.deepEqual(readdirSync(out).sort(), ['best', 'curves.svg', 'last', 'log.jsonl', 'training.safetensors']);
  await runTraining(await options(alone));
  t.deepEqual(await weightsOf(out), await weightsOf(alone));
});

test.serial('runTraining writes what is missing of a save that broke off behind its state', async t => {
  const out = temporaryFolder(t);
  await runTraining(await options(out));
  const last = await weightsOf(out);
  rmSync(join(out, 'last'), {recursive: true});
  rmSync(join(out, 'curves.svg'));
  await runTraining({...(await options(out)), resume: true});
  t.deepEqual(await weightsOf(out), last);
  t.true(existsSync(join(out, 'curves.svg')));
});

test.serial('runTraining removes what a killed process had begun to write', async t => {
  const out = temporaryFolder(t);
  await runTraining({...(await options(out)), ...abortAt(2)});
  // No system gives out such a number.
  const dead = 2 ** 30;
  const unfinished = [`training.safetensors.${dead}.partial`, `last/model.safetensors.${dead}.partial`, 'best.partial'];
  const others = [`training.safetensors.${process.ppid}.partial`, 'film.mp4.partial', `film.mp4.${dead}.partial`];
  for (const name of [...unfinished, ...others]) writeFileSync(join(out, name), 'half');
  await t.throwsAsync(options(out).then(runTraining), {message: /holds a run of 2 steps/});
  t.true(existsSync(join(out, unfinished[0]!)), 'Nothing is removed by a run that is refused');
  await runTraining({...(await options(out)), resume: true});
  for (const name of unfinished) t.false(existsSync(join(out, name)), name);
  for (const name of others) t.true(existsSync(join(out, name)), name);
});

test.serial('runTraining refuses a folder that holds models without what goes on from them', async t => {
  const out = temporaryFolder(t);
  for (const which of ['best', 'last']) {
    const folder = join(out, which);
    mkdirSync(join(folder, which), {recursive: true});
    writeFileSync(join(folder, which, 'notes.txt'), 'mine');
    for (const resume of [false, true]) {
      await t.throwsAsync(runTraining({...(await options(join(out, which))), resume}), {
        instanceOf: ModelError,
        message: `Cannot train into "${folder}" as it must not hold "${which}" without the training.safetensors of its run: move it away, or choose another folder`,
      });
    }
    t.is(readFileSync(join(folder, which, 'notes.txt'), 'utf8'), 'mine');
  }
});

test.serial('runTraining never leaves a best model without a state', async t => {
  const out = temporaryFolder(t);
  const given = await options(out, {validateEvery: 2, saveEvery: 100});
  let found: boolean[] = [];
  await runTraining({
    ...given,
    ...abortAt(100),
    onProgress: ({line}) => {
      if (line.validationBitsPerByte === undefined || found.length > 0) return;
      found = ['best', 'training.safetensors'].map(name => existsSync(join(out, name)));
    },
  });
  t.deepEqual(found, [true, true]);
});

test.serial('runTraining removes a summary head with the weights that it belonged to', async t => {
  const out = temporaryFolder(t);
  await runTraining({...(await options(out)), ...abortAt(2)});
  const head = join(out, 'last', 'summary.safetensors');
  writeFileSync(head, 'head');
  await runTraining({...(await options(out)), resume: true});
  t.false(existsSync(head));
});

test.serial(
  'runTraining counts all steps of an update alike, and updates by those that are left at the end',
  async t => {
    const folder = temporaryFolder(t);
    const trained = async (name: string, updates: readonly object[]) => {
      await runTraining(await options(join(folder, name), {steps: 10, updates}));
      return weightsOf(join(folder, name));
    };
    const aligned = await trained('aligned', [
      {fromStep: 0, every: 2},
      {fromStep: 4, every: 4},
      {fromStep: 8, every: 2},
    ]);
    // An update that has begun goes on to its end, and the last one has two steps left.
    const within = await trained('within', [
      {fromStep: 0, every: 2},
      {fromStep: 3, every: 4},
    ]);
    t.deepEqual(within, aligned);
  },
);

test.serial('runTraining holds no more tensors after many steps than after a few', async t => {
  const counts: number[] = [];
  await runTraining({
    ...(await options(temporaryFolder(t), {steps: 40, logEvery: 1, saveEvery: 1000, validateEvery: 10})),
    onProgress: ({line}) => {
      if (line.loss !== undefined) counts.push(tf.memory().numTensors);
    },
  });
  t.is(counts.length, 40);
  // Gradients of steps 4 to 6, 7 to 9, … are accumulated.
  for (let step = 10; step < 40; step++) t.is(counts[step], counts[step - 3], `step ${step}`);
});

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

test.serial('runTraining refuses to go on with other validation documents, or another stretch of them', async t => {
  const out = await trainOnce(t);
  const given = {...(await options(out)), resume: true};
  await t.throwsAsync(runTraining({...given, validation: await sampleCorpus([200, 31], 50)}), {
    message: /as its validation documents must be the same, .*they have changed/,
  });
  await t.throwsAsync(runTraining({...(await options(out, {validationTokens: 32})), resume: true}), {
    message: /validationTokens must be as when it began, 64: current value is 32/,
  });
});

test.serial('runTraining refuses to validate with what it trains on', async t => {
  const out = join(temporaryFolder(t), 'run');
  const given = await options(out);
  await t.throwsAsync(runTraining({...given, validation: given.corpus}), {
    instanceOf: ModelError,
    message:
      /^Cannot validate with "text 0" as it must not be trained on: it is the same as "text 0" of the training documents; /,
  });
  t.false(existsSync(out));
});

test.serial('runTraining goes on from a model of its own choice of loss', async t => {
  const folder = temporaryFolder(t);
  const first = join(folder, 'first');
  const model = {...sizes, compressor: 'mean-pool'};
  await runTraining(await options(first, {model}));
  const {config, weights} = await readModelDirectory(join(first, 'last'));
  const given = await options(join(folder, 'second'), {model});
  const training = parseTrainingConfig({...fields, model: join(first, 'last'), learningRate: {peak: 1e-9, floor: 0}});
  const {step} = await runTraining({...given, training, config, weights});
  t.is(step, 12);
  const [before, after] = [await weightsOf(first), await weightsOf(join(folder, 'second'))];
  for (const [name, values] of after) t.true(relativeError(values, before.get(name)!) < 1e-5, name);
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
  // The name may change, and what is shown and saved how often.
  const changes = {name: 'renamed', saveEvery: 1, logEvery: 1, validateEvery: 100};
  await runTraining({...(await options(out, changes)), resume: true});
  t.is(JSON.parse(readFileSync(join(out, 'last/config.json'), 'utf8')).name, 'renamed');
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

test.serial('runTraining keeps the last save when a gradient since the last update is not finite', async t => {
  const out = temporaryFolder(t);
  // The gradients of step 5 wait for two more steps.
  await runTraining({...(await options(out)), ...abortAt(6)});
  const path = join(out, 'training.safetensors');
  const state = await readTrainingState(path);
  const tensors = new Map(state!.tensors);
  const name = 'accumulated.final_normalisation.gain';
  tensors.set(name, {...tensors.get(name)!, data: tensors.get(name)!.data.map(() => Infinity)});
  await writeTrainingState(path, state!.state, tensors);
  const before = readFileSync(path);
  await t.throwsAsync(runTraining({...(await options(out)), resume: true, signal: AbortSignal.abort()}), {
    instanceOf: NumericalError,
    message:
      'Cannot save at step 6 as the gradient of "final_normalisation.gain" must be finite: current value is Infinity; train the last saved model on in a new folder, with a lower learning rate or clip',
  });
  t.true(before.equals(readFileSync(path)));
  // The update finds it as well.
  await t.throwsAsync(runTraining({...(await options(out)), resume: true}), {
    instanceOf: NumericalError,
    message: /^Cannot go on training at step 7 as the gradient of "final_normalisation\.gain" must be finite: /,
  });
  t.true(before.equals(readFileSync(path)));
});
