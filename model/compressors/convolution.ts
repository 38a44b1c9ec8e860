import type {Kernels} from '../kernels/kernels.ts';
import type {PackedMatrix} from '../kernels/packed-matrix.ts';
import {tf} from '../tf.ts';
import type {EvictedRows} from './evicted-rows.ts';

/**
 * 1D convolution of kernel and stride c without bias: one matrix product over flattened windows.
 *
 * @param kernel [c·d, d]
 * @returns [B, E, d]
 */
export function convolution(
  {rows, rate}: EvictedRows,
  {kernel, kernels}: {kernel: PackedMatrix; kernels: Kernels},
): tf.Tensor3D {
  const [batch, length, width] = rows.shape;
  const windows = tf.reshape(rows, [(batch * length) / rate, rate * width]) as tf.Tensor2D; // [B·E, c·d]
  return tf.reshape(kernels.dense(windows, kernel), [batch, length / rate, width]); // [B, E, d]
}
