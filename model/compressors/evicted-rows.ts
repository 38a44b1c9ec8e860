import type * as tf from '@tensorflow/tfjs';

/** Rows on their way out of one layer's memory, E windows of c rows each, right-aligned: fewer evicted rows fill the last windows. */
export type EvictedRows = {
  /** The rows, oldest first, then the rows that stay behind them as far as the compressor looks ahead. [B, E·c + a, d] */
  readonly rows: tf.Tensor3D;
  /** c */
  readonly rate: number;
  /** Most-used only: mean attention received; −1 where no row is evicted. [B, E·c] */
  readonly attention?: tf.Tensor2D;
  /** Most-used only: windows that hold evicted rows. [B, 1] */
  readonly windows?: tf.Tensor2D;
};
