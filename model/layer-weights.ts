import type * as tf from '@tensorflow/tfjs';
import type {DilatedConvolutionWeights} from './compressors/dilated-convolution.ts';
import type {FeedForwardWeights} from './feed-forward.ts';

export type NormalisationWeights = {
  /** [d] */
  readonly gain: tf.Tensor;
  /** [d] */
  readonly bias: tf.Tensor;
};

/** One layer's weights in the form that a step uses: projections joined, positions projected. */
export type LayerWeights = {
  readonly attentionNormalisation: NormalisationWeights;
  /** W_q k^(−1/2), W_k, W_v side by side. [d, 3d] */
  readonly queryKeyValue: tf.Tensor2D;
  /** W_k, W_v side by side. [d, 2d] */
  readonly keyValue: tf.Tensor2D;
  /** W_o. [d, d] */
  readonly output: tf.Tensor2D;
  /** u. [H, 1, k] */
  readonly contentBias: tf.Tensor3D;
  /** v. [H, 1, k] */
  readonly positionBias: tf.Tensor3D;
  /** Memory and segment tier. [H, k, n_m + n + 1] */
  readonly positionKeys: tf.Tensor3D;
  /** v_cm. [H, 1, k]; absent if n_cm = 0 */
  readonly compressedPositionBias?: tf.Tensor3D;
  /** Compressed tier. [H, k, n_cm + n + 1]; absent if n_cm = 0 */
  readonly compressedPositionKeys?: tf.Tensor3D;
  readonly feedForwardNormalisation: NormalisationWeights;
  readonly feedForward: FeedForwardWeights;
  /** Convolution compressor only. [c, d, d] */
  readonly convolution?: tf.Tensor3D;
  readonly dilatedConvolution?: DilatedConvolutionWeights;
};
