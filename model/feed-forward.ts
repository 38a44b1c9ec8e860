import * as tf from '@tensorflow/tfjs';

export type FeedForwardWeights = {
  /** [d, f] */
  readonly inner: tf.Tensor2D;
  /** [f] */
  readonly innerBias: tf.Tensor;
  /** [f, d] */
  readonly outer: tf.Tensor2D;
  /** [d] */
  readonly outerBias: tf.Tensor;
};

/** relu(x W_inner + b_inner) W_outer + b_outer. x [S, d] → [S, d] */
export function feedForward(x: tf.Tensor2D, weights: FeedForwardWeights): tf.Tensor2D {
  const hidden = tf.relu(tf.add(tf.matMul(x, weights.inner), weights.innerBias)); // [S, f]
  return tf.add(tf.matMul(hidden as tf.Tensor2D, weights.outer), weights.outerBias); // [S, d]
}
