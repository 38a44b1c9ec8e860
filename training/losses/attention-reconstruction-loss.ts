import * as tf from '@tensorflow/tfjs';
import type {PackedMatrix} from '../../model/kernels/packed-matrix.ts';
import {stopGradient} from '../../model/stop-gradient.ts';
import type {CompressionLossOptions, CompressionSample} from './compression-sample.ts';
import {takenPlaces} from './taken-places.ts';

/** Finite, so that a masked score stays a number. */
const hidden = -1e9;

/**
 * How far attention over compressed rows is from attention over the rows they stand for (Rae et al. 2019, section 3.3): mean over
 * heads, queries and width of (att(Q, old) − att(Q, f(old)))², with att(Q, x) = softmax(Q (x W_k)ᵀ) x W_v. By content alone, without
 * biases or positions; queries, rows and projections count as constants.
 *
 * @param keyValue W_k, W_v side by side. [d, 2d]
 * @returns The sum over documents, each with its weight. []
 */
export function attentionReconstructionLoss(
  {old, compressed, queries, evicted, documentWeights}: CompressionSample,
  keyValue: PackedMatrix,
  {config, kernels}: CompressionLossOptions,
): tf.Scalar {
  const {heads, compressionRate} = config;
  const constantQueries = stopGradient(queries); // [H, B, n, k]
  const projections = {...keyValue, packed: stopGradient(keyValue.packed)}; // [d, 2d]
  const attend = (rows: tf.Tensor3D, taken: tf.Tensor1D) => {
    const [keys, values] = kernels.projectHeads(rows, projections, heads) as [tf.Tensor4D, tf.Tensor4D]; // [H, B, S, k]
    const absent = tf.sub(1, takenPlaces(taken, rows.shape[1])); // [B, S]
    const mask = tf.reshape(tf.mul(absent, hidden), [1, rows.shape[0], 1, rows.shape[1]]); // [1, B, 1, S]
    const scores = tf.add(tf.matMul(constantQueries, keys, false, true), mask); // [H, B, n, S]
    return tf.matMul(tf.softmax(scores), values); // [H, B, n, k]
  };
  const expected = stopGradient(attend(stopGradient(old), evicted));
  const given = attend(compressed, tf.div(evicted, compressionRate));
  const perDocument = tf.mean(tf.squaredDifference(expected, given), [0, 2, 3]); // [B]
  return tf.sum(tf.mul(perDocument, documentWeights));
}
