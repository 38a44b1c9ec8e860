import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {openEngine} from '../../../model/engine/engine.ts';
import {Dropout} from '../../../training/dropout.ts';
import {composedTrainingKernels} from '../../../training/kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from '../../../training/kernels/fused-training-kernels.ts';
import {withDropout} from '../../../training/kernels/with-dropout.ts';
import {relativeDistance} from '../../model/relative-distance.ts';

test.serial.before(async () => {
  await openEngine('native');
});

test.serial('withDropout drops the embedding and what sublayers add, and leaves what they add to', t => {
  const [x, square, bias] = [tf.randomNormal<tf.Rank.R2>([6, 8]), tf.randomNormal<tf.Rank.R2>([8, 8]), tf.ones([8])];
  const tokens = tf.tensor2d([[0, 1, 2]], [1, 3], 'int32');
  for (const kernels of [composedTrainingKernels, fusedTrainingKernels()!]) {
    const matrix = kernels.packMatrix(square);
    const feedForward = {
      normalisation: {gain: bias, bias},
      inner: matrix,
      innerBias: bias,
      outer: matrix,
      outerBias: bias,
    };
    const results = (rate: number) => {
      const dropping = withDropout(kernels, new Dropout(rate, {seed: tf.tensor1d([1, 0], 'int32'), kernels}));
      return [
        dropping.embed(tokens, square),
        dropping.addDense(x, x, matrix),
        dropping.feedForward(x, feedForward),
      ].map(tensor => [...tensor.dataSync()]);
    };
    const sublayers = [
      kernels.embed(tokens, square),
      kernels.addDense(x, x, matrix),
      kernels.feedForward(x, feedForward),
    ];
    for (const [i, given] of results(0).entries()) {
      // A kernel that adds what it multiplies may round once where two kernels round twice.
      t.true(relativeDistance(given, sublayers[i]!.dataSync()) < 1e-6);
    }
    // So few are kept that none is.
    const [embedded, ...added] = results(1 - 2 ** -20);
    t.true(embedded!.every(element => element === 0));
    t.deepEqual(added, [[...x.dataSync()], [...x.dataSync()]]);
  }
});
