import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {openEngine} from '../../../model/engine/engine.ts';
import {adam, adamDecay} from '../../../training/optimiser/adam.ts';

test.serial('adam takes the steps of Adam with bias correction', async t => {
  await openEngine('cpu');
  const gradients = [0.5, -0.2, 0.9];
  let [weight, m, v] = [1, 0, 0];
  let given = {weight: tf.tensor1d([1]), first: tf.tensor1d([0]), second: tf.tensor1d([0])} as Parameters<
    typeof adam
  >[0];
  for (const [index, gradient] of gradients.entries()) {
    const time = index + 1;
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient ** 2;
    weight -= (0.01 * (m / (1 - 0.9 ** time))) / (Math.sqrt(v / (1 - 0.999 ** time)) + 1e-8);
    given = adam(given, tf.tensor1d([gradient]), {
      learningRate: tf.scalar(0.01),
      firstCorrection: tf.scalar(1 - adamDecay.first ** time),
      secondCorrection: tf.scalar(1 - adamDecay.second ** time),
    });
    for (const [tensor, expected] of [
      [given.weight, weight],
      [given.first, m],
      [given.second, v],
    ] as const) {
      t.true(Math.abs(tensor.dataSync()[0]! - expected) < 2e-6);
    }
  }
});
