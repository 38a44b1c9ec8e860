import * as tf from '@tensorflow/tfjs';
import type {Kernels} from './kernels/kernels.ts';

/**
 * Projects rows with several matrices at once and splits the result by head.
 *
 * @param rows [B, S, d]
 * @param weights Matrices side by side. [d, p·d]
 * @returns p tensors [H, B, S, k]
 */
export function projectHeads(
  rows: tf.Tensor3D,
  weights: tf.Tensor2D,
  {heads, kernels}: {heads: number; kernels: Kernels},
): tf.Tensor4D[] {
  const [batch, slots, width] = rows.shape;
  const parts = weights.shape[1] / width; // p
  const projected = kernels.matMul(tf.reshape(rows, [batch * slots, width]) as tf.Tensor2D, weights); // [B·S, p·d]
  const byHead = tf.transpose(tf.reshape(projected, [batch * slots, parts, heads, width / heads]), [1, 2, 0, 3]); // [p, H, B·S, k]
  return tf.unstack(byHead, 0).map(part => tf.reshape(part, [heads, batch, slots, width / heads]));
}
