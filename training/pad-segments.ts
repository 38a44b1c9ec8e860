import type {RowSegment} from './documents/corpus-rows.ts';
import type {SegmentRows} from './segment-tensors.ts';

/** Segments of one row each, filled up with zeros to n tokens. */
export function padSegments(segments: readonly RowSegment[], n: number): Omit<SegmentRows, 'counts'> {
  const tokens = new Int32Array(segments.length * n);
  const targets = new Int32Array(segments.length * n);
  const present = new Float32Array(segments.length * n);
  for (const [row, segment] of segments.entries()) {
    tokens.set(segment.tokens, row * n);
    targets.set(segment.targets, row * n);
    present.fill(1, row * n, row * n + segment.targets.length);
  }
  return {tokens, targets, present, full: segments.map(({tokens}) => tokens.length === n)};
}
