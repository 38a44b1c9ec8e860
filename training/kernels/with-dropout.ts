import {tf} from '../../model/tf.ts';
import type {Dropout} from '../dropout.ts';
import type {TrainingKernels} from './training-kernels.ts';

/** Kernels that drop elements of the embedding and of what each sublayer adds to it (Vaswani et al. 2017, section 5.4). */
export function withDropout(kernels: TrainingKernels, dropout: Dropout): TrainingKernels {
  return {
    ...kernels,
    embed: (tokens, embedding) => dropout.apply(kernels.embed(tokens, embedding)),
    addDense: (x, y, matrix) => tf.add(x, dropout.apply(kernels.dense(y, matrix))),
    feedForward: (x, weights) => tf.add(x, dropout.apply(kernels.feedForwardSublayer(x, weights))),
  };
}
