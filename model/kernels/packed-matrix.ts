import type * as tf from '@tensorflow/tfjs';

/** A matrix [K, N] in the form in which an engine multiplies by it. */
export type PackedMatrix = {
  readonly packed: tf.Tensor;
  /** N */
  readonly columns: number;
};
