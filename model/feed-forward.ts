import * as tf from '@tensorflow/tfjs';
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

export type FeedForwardOptions = {
  readonly weights: FeedForwardWeights;
  readonly kernels: Kernels;
  /** Applied to what is added to x, while training. [S, d] → [S, d] */
  readonly dropout?: (x: tf.Tensor2D) => tf.Tensor2D;
};

/** x + relu(LN(x) W_inner + b_inner) W_outer + b_outer. x [S, d], normalised LN(x) [S, d] → [S, d] */
export function feedForward(
  x: tf.Tensor2D,
  normalised: tf.Tensor2D,
  {weights, kernels, dropout}: FeedForwardOptions,
): tf.Tensor2D {
  const hidden = kernels.biasRelu(kernels.matMul(normalised, weights.inner, true), weights.innerBias); // [S, f]
  const outer = kernels.matMul(hidden, weights.outer); // [S, d]
  if (dropout === undefined) return kernels.addWithBias(x, outer, weights.outerBias);
  return tf.add(x, dropout(tf.add(outer, weights.outerBias)));
}
