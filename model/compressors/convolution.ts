import * as tf from '@tensorflow/tfjs';
import type {EvictedRows} from './evicted-rows.ts';

/**
 * 1D convolution of kernel and stride c without bias: one matrix product over flattened windows.
 *
 * @param weight [c, d, d]
 * @returns [B, E, d]
 */
export function convolution({rows, rate}: EvictedRows, weight: tf.Tensor3D): tf.Tensor3D {
  const [batch, length, width] = rows.shape;
  const windows = tf.reshape(rows, [(batch * length) / rate, rate * width]) as tf.Tensor2D; // [B·E, c·d]
  const kernel = tf.reshape(weight, [rate * width, width]) as tf.Tensor2D; // [c·d, d]
  return tf.reshape(tf.matMul(windows, kernel), [batch, length / rate, width]); // [B, E, d]
}
