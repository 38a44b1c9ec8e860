import type * as tf from '@tensorflow/tfjs';
import type {DilatedConvolutionWeights} from './compressors/dilated-convolution.ts';
import type {PackedMatrix} from './kernels/packed-matrix.ts';

export type NormalisationWeights = {
  /** [d] */
  readonly gain: tf.Tensor;
  /** [d] */
  readonly bias: tf.Tensor;
};

export type FeedForwardWeights = {
  readonly normalisation: NormalisationWeights;
  /** [d, f] */
  readonly inner: PackedMatrix;
  /** [f] */
  readonly innerBias: tf.Tensor;
  /** [f, d] */
  readonly outer: PackedMatrix;
  /** [d] */
  readonly outerBias: tf.Tensor;
};

/** One layer's weights in the form that a step uses: projections joined, positions projected. */
export type LayerWeights = {
  readonly attentionNormalisation: NormalisationWeights;
  /** W_q k^(−1/2), W_k, W_v side by side. [d, 3d] */
  readonly queryKeyValue: PackedMatrix;
  /** W_k, W_v side by side. [d, 2d] */
  readonly keyValue: PackedMatrix;
  /** W_o. [d, d] */
  readonly output: PackedMatrix;
  /** u. [H, 1, k] */
  readonly contentBias: tf.Tensor3D;
  /** v. [H, 1, k] */
  readonly positionBias: tf.Tensor3D;
  /** Memory and segment tier, packed from [H, k, n_m + n + 1]. */
  readonly positionKeys: tf.Tensor3D;
  /** v_cm. [H, 1, k]; absent if n_cm = 0 */
  readonly compressedPositionBias?: tf.Tensor3D;
  /** Compressed tier, packed from [H, k, n_cm + n + 1]; absent if n_cm = 0 */
  readonly compressedPositionKeys?: tf.Tensor3D;
  readonly feedForward: FeedForwardWeights;
  /** Convolution compressor only. [c·d, d] */
  readonly convolution?: PackedMatrix;
  readonly dilatedConvolution?: DilatedConvolutionWeights;
};
