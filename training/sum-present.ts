import type {RowSegment} from './documents/corpus-rows.ts';

/**
 * Adds up what belongs to targets, not to padding.
 *
 * @param values [B, segments, n]
 * @param rows Rows of each segment.
 */
export function sumPresent(values: Float32Array, rows: readonly (readonly RowSegment[])[], n: number): number {
  let sum = 0;
  for (const [part, segment] of rows.entries()) {
    for (const [row, {targets}] of segment.entries()) {
      const start = (row * rows.length + part) * n;
      for (let i = start; i < start + targets.length; i++) sum += values[i]!;
    }
  }
  return sum;
}
