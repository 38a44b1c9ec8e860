import type {ModelConfig} from './model-config.ts';
import {tf} from './tf.ts';

/** Finite, so that a masked score stays a number; far enough from any score to weigh exactly 0. */
const hidden = -1e9;

/**
 * What each query of a segment may see: filled memory slots, and the segment up to itself.
 *
 * @param counts v_m and v_cm of each document. int32 [B, 2]
 * @returns 0 where a key is visible, −1e9 where not. [1, B, n, K]
 */
export function attentionMask(counts: tf.Tensor2D, config: ModelConfig): tf.Tensor4D {
  const {segmentLength: n, memoryLength, compressedMemoryLength} = config;
  return tf.tidy(() => {
    const [memory, compressed] = tf.split(counts, 2, 1) as [tf.Tensor2D, tf.Tensor2D]; // [B, 1] each
    const empty = (filled: tf.Tensor2D, slots: number) =>
      tf.less(tf.range(0, slots, 1, 'int32'), tf.sub(tf.scalar(slots, 'int32'), filled)); // [B, slots]
    const segment = tf.zeros<tf.Rank.R2>([counts.shape[0], n], 'bool');
    const slots = tf.concat(
      [empty(compressed, compressedMemoryLength), empty(memory, memoryLength), segment] as tf.Tensor2D[],
      1,
    ); // [B, K]
    const query = tf.range(0, n, 1, 'int32'); // [n]
    const later = tf.greater(query, tf.expandDims(query, 1)); // [n, n]
    const future = tf.pad(tf.cast(later, 'float32') as tf.Tensor2D, [
      [0, 0],
      [compressedMemoryLength + memoryLength, 0],
    ]); // [n, K]
    // A slot is either of the memory or of the segment, so the two never add up.
    const masked = tf.add(tf.expandDims(tf.cast(slots, 'float32'), 1), future); // [B, n, K]
    return tf.expandDims(tf.mul(masked, hidden), 0);
  });
}
