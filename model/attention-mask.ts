import * as tf from '@tensorflow/tfjs';
import type {MemoryCounts} from './memory-counts.ts';
import type {ModelConfig} from './model-config.ts';

/** Finite, so that a masked score stays a number; far enough from any score to weigh exactly 0. */
const hidden = -1e9;

/**
 * What each query of a segment may see: filled memory slots, and the segment up to itself.
 *
 * @returns 0 where a key is visible, −1e9 where not. [1, B, n, K]; [1, 1, n, K] if all documents have the same counts
 */
export function attentionMask(counts: readonly MemoryCounts[], config: ModelConfig): tf.Tensor4D {
  const {segmentLength: n, memoryLength, compressedMemoryLength} = config;
  const slots = compressedMemoryLength + memoryLength + n; // K
  const first = counts[0]!;
  const alike = counts.every(({memory, compressed}) => memory === first.memory && compressed === first.compressed);
  const rows = alike ? [first] : counts;

  const filled = new Float32Array(rows.length * slots);
  for (const [row, {memory, compressed}] of rows.entries()) {
    const start = row * slots;
    filled.fill(hidden, start, start + compressedMemoryLength - compressed);
    filled.fill(hidden, start + compressedMemoryLength, start + compressedMemoryLength + memoryLength - memory);
  }
  const future = new Float32Array(n * slots);
  for (let i = 0; i < n; i++) future.fill(hidden, i * slots + slots - n + i + 1, (i + 1) * slots);
  return tf.tidy(() =>
    // A slot is either of the memory or of the segment, so the two never add up.
    tf.add(tf.tensor4d(filled, [1, rows.length, 1, slots]), tf.tensor4d(future, [1, 1, n, slots])),
  );
}
