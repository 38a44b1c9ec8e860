import * as tf from '@tensorflow/tfjs';
import {composedFeedForwardSublayer} from '../../model/kernels/composed-feed-forward-sublayer.ts';
import {composedKernels} from '../../model/kernels/composed-kernels.ts';
import {adam} from '../optimiser/adam.ts';
import type {TrainingKernels} from './training-kernels.ts';

/** Training kernels put together from tfjs operations, with tfjs's own gradients. */
export const composedTrainingKernels: TrainingKernels = {
  ...composedKernels,
  feedForwardSublayer: composedFeedForwardSublayer,
  crossEntropy: (logits, targets) => {
    const chosen = tf.oneHot(targets, logits.shape[1]); // [S, V]
    return tf.sub(tf.logSumExp(logits, 1), tf.sum(tf.mul(logits, chosen), 1));
  },
  squaredNorm: gradient => tf.sum(tf.square(gradient)),
  adam: (state, gradient, {factor, ...schedule}) => adam(state, tf.mul(gradient, factor), schedule),
};
