import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {hasBfloat16} from '../../bench/has-bfloat16.ts';
import {openEngine} from '../../model/engine/engine.ts';
import type {CompressionLossName} from '../../training/compression-loss.ts';
import {composedTrainingKernels} from '../../training/kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from '../../training/kernels/fused-training-kernels.ts';
import type {TrainingKernels} from '../../training/kernels/training-kernels.ts';
import {trainableWeights} from '../../training/trainable-weights.ts';
import {type TrainingLoss, trainingLoss} from '../../training/training-loss.ts';
import {relativeDistance} from '../model/relative-distance.ts';
import {relativeError} from '../model/relative-error.ts';
import {type GradientFixture, gradientFixtureNames, readGradientFixture} from './gradient-fixture.ts';

const kernels = composedTrainingKernels;
const allKernels = {composed: () => composedTrainingKernels, fused: () => fusedTrainingKernels()!};
/** Of what the greatest element is. */
const tolerance = 1e-4;

test.serial.before(async () => {
  await openEngine('native');
});

/** What a loss is and its gradient in every weight, undefined where it has none. */
function differentiate(
  {config, weights, layers, segments}: GradientFixture,
  {
    compressionLoss,
    unrolled,
    pick,
  }: {compressionLoss: CompressionLossName; unrolled: 1 | 2; pick: (loss: TrainingLoss) => tf.Scalar},
  kernels: TrainingKernels = composedTrainingKernels,
): {value: number; gradients: ReadonlyMap<string, tf.Tensor | undefined>} {
  const names = Object.keys(weights);
  const scale = unrolled === 1 ? 2 : 1;
  const {value, grads} = tf.engine().gradients(
    () =>
      tf.mul(
        pick(
          trainingLoss(segments.slice(0, unrolled), layers, {
            config,
            weight: name => weights[name]!,
            compressionLoss,
            kernels,
          }),
        ),
        scale,
      ),
    names.map(name => weights[name]!),
    undefined,
    true,
  );
  return {value: value.dataSync()[0]!, gradients: new Map(names.map((name, i) => [name, grads[i]]))};
}

const cases = {
  main: {compressionLoss: 'none', unrolled: 1, pick: ({main}) => main},
  backpropagation: {compressionLoss: 'backpropagation', unrolled: 2, pick: ({main}) => main},
  'attention-reconstruction': {
    compressionLoss: 'attention-reconstruction',
    unrolled: 1,
    pick: ({auxiliary}) => tf.div(auxiliary!, 2),
  },
  'auto-encoding': {compressionLoss: 'auto-encoding', unrolled: 1, pick: ({auxiliary}) => tf.div(auxiliary!, 2)},
} as const satisfies Record<string, Parameters<typeof differentiate>[1]>;

for (const [name, by] of gradientFixtureNames.flatMap(name => [
  [name, 'composed'] as const,
  [name, 'fused'] as const,
])) {
  test.serial(`trainingLoss has the gradients of the float64 reference by ${by} kernels: ${name}`, async t => {
    const kernels = allKernels[by]();
    const fixture = await readGradientFixture(name, kernels);
    for (const [loss, expected] of fixture.losses) {
      const {value, gradients} = differentiate(fixture, cases[loss as keyof typeof cases], kernels);
      t.true(Math.abs(value - expected) < 1e-5 * Math.abs(expected), `${loss}: ${value} for ${expected}`);
      for (const [weight, gradient] of gradients) {
        const wanted = fixture.gradient(loss, weight);
        if (gradient === undefined) {
          t.true(
            wanted === undefined || wanted.every(element => Math.abs(element) < 1e-9),
            `${loss}: ${weight} has none`,
          );
          continue;
        }
        t.not(wanted, undefined, `${loss}: ${weight} must have no gradient`);
        const error = relativeError(gradient.dataSync(), wanted!);
        t.true(error < tolerance, `${loss}: ${weight}: relative error ${error}`);
      }
    }
  });
}

const halved = hasBfloat16() ? test.serial : test.serial.skip;
for (const name of gradientFixtureNames) {
  halved(`trainingLoss has the gradients of the float64 reference in bfloat16: ${name}`, async t => {
    const kernels = fusedTrainingKernels('bfloat16')!;
    const fixture = await readGradientFixture(name, kernels);
    for (const [loss, expected] of fixture.losses) {
      const {value, gradients} = differentiate(fixture, cases[loss as keyof typeof cases], kernels);
      t.true(Math.abs(value - expected) < 0.01 * Math.abs(expected), `${loss}: ${value} for ${expected}`);
      const [given, wanted]: [number[], number[]] = [[], []];
      for (const [weight, gradient] of gradients) {
        const exact = fixture.gradient(loss, weight);
        if (exact === undefined || exact.every(element => Math.abs(element) < 1e-9)) continue;
        t.not(gradient, undefined, `${loss}: ${weight} has none`);
        const values = [...gradient!.dataSync()];
        // Small ones vanish among all.
        const own = relativeDistance(values, exact);
        t.true(own < 0.3, `${loss}: ${weight}: relative distance ${own}`);
        given.push(...values);
        wanted.push(...exact);
      }
      const distance = relativeDistance(given, wanted);
      t.true(distance < 0.1, `${loss}: relative distance ${distance}`);
    }
  });
}

test.serial('trainingLoss gives every weight a gradient that is not zero', async t => {
  for (const [name, compressionLoss] of [
    ['convolution', 'attention-reconstruction'],
    ['convolution', 'auto-encoding'],
    ['convolution', 'backpropagation'],
    ['dilated-convolution', 'attention-reconstruction'],
    ['dilated-convolution', 'auto-encoding'],
    ['mean-pool', 'none'],
    ['most-used', 'none'],
    ['transformer-xl', 'none'],
  ] as const) {
    const fixture = await readGradientFixture(name, kernels);
    const {gradients} = differentiate(fixture, {
      compressionLoss,
      unrolled: compressionLoss === 'backpropagation' ? 2 : 1,
      pick: ({main, auxiliary}) => (auxiliary === undefined ? main : tf.add(main, auxiliary)),
    });
    const {main, auxiliary} = trainableWeights(fixture.config, compressionLoss);
    for (const weight of [...main.keys(), ...auxiliary.keys()]) {
      const greatest = gradients.get(weight)?.abs().max().dataSync()[0] ?? 0;
      t.true(greatest > 1e-6, `${name} by ${compressionLoss}: ${weight}`);
    }
  }
});

test.serial('trainingLoss lets each loss reach its own weights alone', async t => {
  for (const name of ['convolution', 'dilated-convolution'] as const) {
    const fixture = await readGradientFixture(name, kernels);
    for (const compressionLoss of ['attention-reconstruction', 'auto-encoding'] as const) {
      const {main, auxiliary} = trainableWeights(fixture.config, compressionLoss);
      const options = {compressionLoss, unrolled: 1} as const;
      const byMain = differentiate(fixture, {...options, pick: loss => loss.main}).gradients;
      const byAuxiliary = differentiate(fixture, {...options, pick: loss => loss.auxiliary!}).gradients;
      for (const weight of auxiliary.keys()) t.is(byMain.get(weight), undefined, `${name}: ${weight}`);
      for (const weight of main.keys()) t.is(byAuxiliary.get(weight), undefined, `${name}: ${weight}`);
    }
  }
});
