import type * as tf from '@tensorflow/tfjs';
import type {PackedMatrix} from '../../model/kernels/packed-matrix.ts';
import {stopGradient} from '../../model/stop-gradient.ts';
import type {CompressionLossOptions, CompressionSample} from './compression-sample.ts';

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
  {config: {heads, compressionRate}, kernels}: CompressionLossOptions,
): tf.Scalar {
  const projections = {...keyValue, packed: stopGradient(keyValue.packed)}; // [d, 2d]
  const project = (rows: tf.Tensor3D) => {
    const [keys, values] = kernels.projectHeads(rows, projections, heads) as [tf.Tensor4D, tf.Tensor4D]; // [H, B, S, k]
    return {keys, values};
  };
  const {keys, values} = project(stopGradient(old));
  return kernels.attentionReconstruction({
    queries: stopGradient(queries), // [H, B, n, k]
    old: {keys: stopGradient(keys), values: stopGradient(values)},
    compressed: project(compressed),
    evicted,
    documentWeights,
    compressionRate,
  });
}
