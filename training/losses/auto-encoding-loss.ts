import {stopGradient} from '../../model/stop-gradient.ts';
import {tf} from '../../model/tf.ts';
import type {CompressionLossOptions, CompressionSample} from './compression-sample.ts';
import {takenPlaces} from './taken-places.ts';

/**
 * How far evicted rows are from what a decoder makes of their compressed rows (Rae et al. 2019, section 3.3): mean over rows and width of
 * (old − g(f(old)))². The decoder g is a transposed convolution of kernel and stride c without bias. Rows count as constants.
 *
 * @param decoder [c, d, d]: row r of a window is the compressed row times slice r.
 * @returns The sum over documents, each with its weight. []
 */
export function autoEncodingLoss(
  {old, compressed, evicted, documentWeights}: Omit<CompressionSample, 'queries'>,
  decoder: tf.Tensor3D,
  {config, kernels}: CompressionLossOptions,
): tf.Scalar {
  const {compressionRate: c, modelWidth: d} = config;
  const [batch, rows] = old.shape; // B, E·c
  const kernel = tf.reshape(tf.transpose(decoder, [1, 0, 2]), [d, c * d]) as tf.Tensor2D; // [d, c·d]
  const decoded = kernels.dense(tf.reshape(compressed, [-1, d]) as tf.Tensor2D, kernels.packMatrix(kernel)); // [B·E, c·d]
  const difference = tf.squaredDifference(stopGradient(old), tf.reshape(decoded, [batch, rows, d])); // [B, E·c, d]
  const perRow = tf.mul(tf.mean(difference, 2), takenPlaces(evicted, rows)); // [B, E·c]
  const perDocument = tf.div(tf.sum(perRow, 1), tf.maximum(evicted, 1)); // [B]
  return tf.sum(tf.mul(perDocument, documentWeights));
}
