import {tf} from '../tf.ts';

/**
 * Sum of the first vectors of each document, in an order that no other document changes.
 *
 * @param hidden [B, n, d]
 * @param lengths int32 [B]
 * @returns [B, d]
 */
export function composedSumTokens(hidden: tf.Tensor3D, lengths: tf.Tensor1D): tf.Tensor2D {
  const [batch, n, d] = hidden.shape;
  const present = tf.less(tf.range(0, n, 1, 'int32'), tf.expandDims(lengths, 1)); // [B, n]
  const mask = tf.cast(present, 'float32');
  // WebAssembly multiplies a single document's matrices in another order, TensorFlow adds up along an axis in several.
  const sums =
    tf.getBackend() === 'tensorflow'
      ? tf.matMul(tf.expandDims(mask, 1), hidden) // [B, 1, d]
      : tf.sum(tf.mul(hidden, tf.expandDims(mask, 2)), 1);
  return tf.reshape(sums, [batch, d]);
}
