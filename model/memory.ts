import type * as tf from '@tensorflow/tfjs';
import type {MemoryCounts} from './memory-counts.ts';

/** One layer's memory of B documents. Slots are oldest first and right-aligned: the last v_m (v_cm) are filled. */
export type LayerMemory = {
  /** Remembered rows. [B, n_m, d]; absent if n_m = 0 */
  readonly rows?: tf.Tensor3D;
  /** Their projections. [H, B, n_m, k] each */
  readonly keys?: tf.Tensor4D;
  readonly values?: tf.Tensor4D;
  /** Compressed rows. [B, n_cm, d]; absent if n_cm = 0 */
  readonly compressedRows?: tf.Tensor3D;
  /** Their projections. [H, B, n_cm, k] each */
  readonly compressedKeys?: tf.Tensor4D;
  readonly compressedValues?: tf.Tensor4D;
  /** Attention mass received by each remembered row; most-used compressor only. [B, n_m] */
  readonly attentionMass?: tf.Tensor2D;
};

/** Memories of B documents, side by side. Immutable: a step takes one and gives another. */
export type Memory = {
  readonly counts: readonly MemoryCounts[];
  /** Final hidden vector of the last token read, which predicts the next; zeros at a document's start. [B, d] */
  readonly lastHidden: tf.Tensor2D;
  readonly layers: readonly LayerMemory[];
};
