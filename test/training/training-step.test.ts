import * as tf from '@tensorflow/tfjs';
import test, {type ExecutionContext} from 'ava';
import {hasBfloat16} from '../../bench/has-bfloat16.ts';
import {compile} from '../../model/compile/compile.ts';
import {flattenTensors} from '../../model/compile/flatten-tensors.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {tidy} from '../../model/tidy.ts';
import type {CompressionLossName} from '../../training/compression-loss.ts';
import {composedTrainingKernels} from '../../training/kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from '../../training/kernels/fused-training-kernels.ts';
import {trainableWeights} from '../../training/trainable-weights.ts';
import {
  type NamedTensors,
  type TrainingStepInputs,
  type TrainingStepOptions,
  type TrainingStepOutputs,
  trainingStep,
} from '../../training/training-step.ts';
import {relativeError} from '../model/relative-error.ts';
import {readGradientFixture} from './gradient-fixture.ts';

test.serial.before(async () => {
  await openEngine('native');
});

async function prepare(
  name: Parameters<typeof readGradientFixture>[0],
  {unrolled = 1, ...changes}: Partial<TrainingStepOptions> & {readonly unrolled?: 1 | 2} = {},
): Promise<{inputs: TrainingStepInputs & {update: object}; options: TrainingStepOptions}> {
  const kernels = composedTrainingKernels;
  const compressionLoss: CompressionLossName =
    changes.compressionLoss ?? (name.includes('convolution') ? 'attention-reconstruction' : 'none');
  const fixture = await readGradientFixture(name, kernels);
  const trainable = trainableWeights(fixture.config, compressionLoss);
  const names = [...trainable.main.keys(), ...trainable.auxiliary.keys()];
  const named = (make: (weight: tf.Tensor) => tf.Tensor) =>
    Object.fromEntries(names.map(weight => [weight, make(fixture.weights[weight]!)]));
  return {
    options: {
      config: fixture.config,
      trainable,
      compressionLoss,
      kernels,
      dropout: 0,
      clip: {main: 1e6, auxiliary: 1e6},
      ...changes,
    },
    inputs: {
      weights: named(weight => weight),
      segments: fixture.segments.slice(0, unrolled),
      layers: fixture.layers,
      seed: tf.tensor1d([1, 0], 'int32'),
      update: {
        first: named(tf.zerosLike),
        second: named(tf.zerosLike),
        schedule: {
          learningRate: tf.scalar(0.01),
          firstCorrection: tf.scalar(0.1),
          secondCorrection: tf.scalar(0.001),
        },
      },
    },
  };
}

function values(tensors: Readonly<Record<string, tf.Tensor>>): Map<string, Float32Array> {
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync() as Float32Array]));
}

/** Compares each tensor with the other's, by its own size. */
function checkOutputs(
  t: ExecutionContext,
  [given, expected]: readonly [TrainingStepOutputs, TrainingStepOutputs],
  tolerance: number,
): void {
  const [one, other] = [flattenTensors(given), flattenTensors(expected)];
  t.deepEqual(one.paths, other.paths);
  for (const [index, tensor] of one.tensors.entries()) {
    const error = relativeError(tensor.dataSync(), other.tensors[index]!.dataSync());
    t.true(error <= tolerance, `${one.paths[index]}: relative error ${error}`);
  }
}

/** Makes inputs of a call amid a training: with moments, and with gradients of calls before. */
function amid(inputs: Awaited<ReturnType<typeof prepare>>['inputs']): typeof inputs & {accumulated: NamedTensors} {
  const made = (scale: number, shift: number) =>
    Object.fromEntries(
      Object.entries(inputs.weights).map(([name, weight], index) => {
        const values = Float32Array.from({length: weight.size}, (_, i) => scale * (shift + Math.sin(3 * i + index)));
        return [name, tf.tensor(values, weight.shape)];
      }),
    );
  const update = {...inputs.update, first: made(1e-3, 0), second: made(1e-5, 1.5)};
  return {...inputs, update, accumulated: made(1e-3, 0.5)};
}

const compared = [
  ['convolution', 'attention-reconstruction'],
  ['convolution', 'auto-encoding'],
  ['convolution', 'backpropagation'],
  ['convolution-round-up', 'attention-reconstruction'],
  ['dilated-convolution', 'attention-reconstruction'],
  ['dilated-convolution', 'auto-encoding'],
  ['dilated-convolution', 'backpropagation'],
  ['mean-pool', 'none'],
  ['max-pool', 'none'],
  ['most-used', 'none'],
  ['transformer-xl', 'none'],
] as const;

for (const [name, compressionLoss] of compared) {
  test.serial(`trainingStep computes compiled what it computes eagerly: ${name} by ${compressionLoss}`, async t => {
    const clip = {main: 1e-3, auxiliary: 1e-4};
    for (const kernels of [composedTrainingKernels, fusedTrainingKernels()!]) {
      const {inputs, options} = await prepare(name, {dropout: 0.2, kernels, compressionLoss, clip, unrolled: 2});
      const compute = (given: TrainingStepInputs) => trainingStep(given, options);
      const {update, ...accumulating} = amid(inputs);
      const segments = inputs.segments.slice(0, 1);
      for (const given of [
        {...accumulating, update},
        ...(kernels === composedTrainingKernels ? [] : [{...accumulating, segments}]),
      ]) {
        // Nothing of what it is compiled with may stay in it.
        const examples = {...given, accumulated: inputs.weights, ...('update' in given && {update: inputs.update})};
        using compiled = compile(compute, {inputs: examples});
        const call = {...given, seed: tf.tensor1d([2, 0], 'int32')};
        const [one, other] = [compiled(call), tidy(() => compute(call))];
        checkOutputs(t, [one, other], 1e-5);
        if (other.updated === undefined) continue;
        const squares = other.updated.squaredNorms.dataSync();
        const main = options.trainable.main.size;
        t.true(Math.hypot(...squares.subarray(0, main).map(Math.sqrt)) > clip.main, 'clips');
        if (options.trainable.auxiliary.size === 0) continue;
        t.true(
          Math.hypot(...squares.subarray(main).map(Math.sqrt)) > clip.auxiliary,
          'clips what compressors learn by',
        );
      }
    }
  });
}

const halved = hasBfloat16() ? test.serial : test.serial.skip;
halved('trainingStep computes compiled what it computes eagerly in bfloat16', async t => {
  const kernels = fusedTrainingKernels('bfloat16')!;
  const {inputs, options} = await prepare('convolution', {dropout: 0.2, kernels, unrolled: 2});
  const given = amid(inputs);
  const compute = (call: TrainingStepInputs) => trainingStep(call, options);
  using compiled = compile(compute, {inputs: {...inputs, accumulated: inputs.weights}});
  checkOutputs(t, [compiled(given), tidy(() => compute(given))], 0);
});

test.serial('trainingStep clips the two groups of gradients apart', async t => {
  const {inputs, options} = await prepare('convolution', {clip: {main: 0.25, auxiliary: 1e-3}});
  const {updated} = trainingStep(inputs, options);
  // The first moment is a tenth of the clipped gradient.
  const norm = (names: Iterable<string>) =>
    10 * Math.hypot(...[...names].map(name => tf.norm(updated!.first[name]!).dataSync()[0]!));
  t.true(Math.abs(norm(options.trainable.main.keys()) - 0.25) < 1e-5);
  t.true(Math.abs(norm(options.trainable.auxiliary.keys()) - 1e-3) < 1e-7);
});

test.serial('trainingStep leaves gradients as they are within the limits', async t => {
  const [free, limited] = [
    await prepare('convolution'),
    await prepare('convolution', {clip: {main: 1e3, auxiliary: 1e3}}),
  ];
  const expected = values(trainingStep(free.inputs, free.options).updated!.first);
  for (const [name, first] of values(trainingStep(limited.inputs, limited.options).updated!.first)) {
    t.deepEqual(first, expected.get(name), name);
  }
});

test.serial('trainingStep adds what was accumulated', async t => {
  const {inputs, options} = await prepare('convolution');
  const {update, ...rest} = inputs;
  const {accumulated} = trainingStep(rest, options);
  const twice = values(trainingStep({...rest, accumulated: accumulated!}, options).accumulated!);
  const updated = values(trainingStep({...inputs, accumulated: accumulated!}, options).updated!.first);
  for (const [name, once] of values(accumulated!)) {
    t.true(
      relativeError(
        twice.get(name)!,
        once.map(value => 2 * value),
      ) < 1e-6,
      name,
    );
    t.true(
      relativeError(
        updated.get(name)!,
        once.map(value => 0.2 * value),
      ) < 1e-5,
      name,
    );
  }
});

test.serial('trainingStep drops other elements for each seed, and the same for the same', async t => {
  const {inputs, options} = await prepare('mean-pool', {dropout: 0.5});
  const nats = (seed: number[]) =>
    [...trainingStep({...inputs, seed: tf.tensor1d(seed, 'int32')}, options).nats.dataSync()].join();
  t.is(nats([1, 0]), nats([1, 0]));
  t.not(nats([1, 0]), nats([2, 0]));
});

test.serial('trainingStep keeps no tensors', async t => {
  const {inputs, options} = await prepare('convolution');
  const before = tf.memory().numTensors;
  disposeTensors(tidy(() => trainingStep(inputs, options)));
  t.is(tf.memory().numTensors, before);
});
