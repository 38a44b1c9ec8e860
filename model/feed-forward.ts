import type * as tf from '@tensorflow/tfjs';
import type {Kernels} from './kernels/kernels.ts';

export type FeedForwardWeights = {
  /** Transposed, which suits processors better where f > d. [f, d] */
  readonly inner: tf.Tensor2D;
  /** [f] */
  readonly innerBias: tf.Tensor;
  /** [f, d] */
  readonly outer: tf.Tensor2D;
  /** [d] */
  readonly outerBias: tf.Tensor;
};

/** x + relu(LN(x) W_inner + b_inner) W_outer + b_outer. x [S, d], normalised LN(x) [S, d] → [S, d] */
export function feedForward(
  x: tf.Tensor2D,
  normalised: tf.Tensor2D,
  {weights, kernels}: {weights: FeedForwardWeights; kernels: Kernels},
): tf.Tensor2D {
  const hidden = kernels.biasRelu(kernels.matMul(normalised, weights.inner, true), weights.innerBias); // [S, f]
  return kernels.addWithBias(x, kernels.matMul(hidden, weights.outer), weights.outerBias); // [S, d]
}
