import {composedFeedForwardSublayer} from '../../model/kernels/composed-feed-forward-sublayer.ts';
import {composedKernels} from '../../model/kernels/composed-kernels.ts';
import {tf} from '../../model/tf.ts';
import {adam} from '../optimiser/adam.ts';
import {composedDrop} from './composed-drop.ts';
import {composedNextTokenLoss} from './composed-next-token-loss.ts';
import {composedReconstruction} from './composed-reconstruction.ts';
import type {TrainingKernels} from './training-kernels.ts';

/** Training kernels put together from tfjs operations, with tfjs's own gradients. */
export const composedTrainingKernels: TrainingKernels = {
  ...composedKernels,
  feedForwardSublayer: composedFeedForwardSublayer,
  drop: composedDrop,
  nextTokenLoss: composedNextTokenLoss,
  attentionReconstruction: composedReconstruction,
  squaredNorm: gradient => tf.sum(tf.square(gradient)),
  adam: (state, gradient, {factor, ...schedule}) => adam(state, tf.mul(gradient, factor), schedule),
};
