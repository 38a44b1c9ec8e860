import type {Kernels} from '../kernels/kernels.ts';
import type {PackedMatrix} from '../kernels/packed-matrix.ts';
import {tf} from '../tf.ts';
import {convolution} from './convolution.ts';
import type {EvictedRows} from './evicted-rows.ts';

/** Dilations of the three kernel-2 convolutions before the strided one. */
export const dilations = [1, 2, 4] as const;

export type DilatedConvolutionWeights = {
  /** One for each dilation. [2d, d] */
  readonly dilated: readonly PackedMatrix[];
  /** [c·d, d] */
  readonly strided: PackedMatrix;
};

/**
 * Dilated convolutions that look ahead, each followed by ReLU, then the strided convolution.
 *
 * @param evicted Rows with the 7 that stay behind them. [B, E·c + 7, d]
 * @returns [B, E, d]
 */
export function dilatedConvolution(
  {rows, rate}: EvictedRows,
  {weights, kernels}: {weights: DilatedConvolutionWeights; kernels: Kernels},
): tf.Tensor3D {
  let hidden = rows;
  for (const [index, dilation] of dilations.entries()) {
    const [batch, length, width] = hidden.shape;
    const kept = length - dilation;
    const now = tf.reshape(tf.slice(hidden, [0, 0, 0], [-1, kept, -1]), [batch * kept, width]); // [B·kept, d]
    const ahead = tf.reshape(tf.slice(hidden, [0, dilation, 0], [-1, kept, -1]), [batch * kept, width]);
    const pairs = tf.concat([now, ahead], 1) as tf.Tensor2D; // [B·kept, 2d]
    hidden = tf.reshape(tf.relu(kernels.dense(pairs, weights.dilated[index]!)), [batch, kept, width]); // [B, kept, d]
  }
  return convolution({rows: hidden, rate}, {kernel: weights.strided, kernels});
}
