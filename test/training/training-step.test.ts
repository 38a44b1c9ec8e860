import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {compile} from '../../model/compile/compile.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {tidy} from '../../model/tidy.ts';
import type {CompressionLossName} from '../../training/compression-loss.ts';
import {composedTrainingKernels} from '../../training/kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from '../../training/kernels/fused-training-kernels.ts';
import {trainableWeights} from '../../training/trainable-weights.ts';
import {
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
  changes: Partial<TrainingStepOptions> = {},
): Promise<{inputs: TrainingStepInputs & {update: object}; options: TrainingStepOptions}> {
  const kernels = composedTrainingKernels;
  const compressionLoss: CompressionLossName = name.includes('convolution') ? 'attention-reconstruction' : 'none';
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
      segments: [fixture.segments[0]!],
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

for (const name of [
  'convolution',
  'dilated-convolution',
  'most-used',
  'convolution-round-up',
  'transformer-xl',
] as const) {
  test.serial(`trainingStep computes compiled what it computes eagerly: ${name}`, async t => {
    for (const kernels of [composedTrainingKernels, fusedTrainingKernels()!]) {
      const {inputs, options} = await prepare(name, {dropout: 0.2, kernels});
      const compute = (given: TrainingStepInputs) => trainingStep(given, options);
      using compiled = compile(compute, {inputs});
      for (const seed of [1, 2]) {
        const given = {...inputs, seed: tf.tensor1d([seed, 0], 'int32')};
        const [one, other] = [compiled(given), tidy(() => compute(given))];
        t.true(relativeError(one.nats.dataSync(), other.nats.dataSync()) < 1e-5);
        const gradients = ({updated}: TrainingStepOutputs) =>
          Object.keys(inputs.weights).flatMap(name => [...updated!.first[name]!.dataSync()]);
        const error = relativeError(gradients(one), gradients(other));
        t.true(error < 1e-5, `gradients: ${error}`);
      }
    }
  });
}

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
