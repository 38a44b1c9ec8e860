import {tf} from '../tf.ts';
import type {Kernels} from './kernels.ts';
import type {PackedMatrix} from './packed-matrix.ts';

/** Projects rows [B, S, d] with matrices that lie side by side [d, p·d], and splits the result by head → p tensors [H, B, S, k] */
export function composedProjectHeads(
  rows: tf.Tensor3D,
  matrix: PackedMatrix,
  {heads, dense}: {heads: number; dense: Kernels['dense']},
): tf.Tensor4D[] {
  const [batch, slots, width] = rows.shape;
  const parts = matrix.columns / width; // p
  const projected = dense(tf.reshape(rows, [batch * slots, width]) as tf.Tensor2D, matrix); // [B·S, p·d]
  const byHead = tf.transpose(tf.reshape(projected, [batch * slots, parts, heads, width / heads]), [1, 2, 0, 3]); // [p, H, B·S, k]
  return tf.unstack(byHead, 0).map(part => tf.reshape(part, [heads, batch, slots, width / heads]));
}
