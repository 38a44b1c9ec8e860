import * as tf from '@tensorflow/tfjs';

/** Sum of squares of each gradient. [P] */
export function squaredNorms(gradients: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.stack(gradients.map(gradient => tf.sum(tf.square(gradient)))) as tf.Tensor1D;
}
