import {tf} from './tf.ts';

/**
 * `concat(parts, axis)` from slot `start` on, `size` slots long, copying no part that is not cut.
 *
 * @param parts Absent ones have no slots.
 */
export function joinSlices<T extends tf.Tensor>(
  parts: readonly (T | undefined)[],
  {axis, start, size}: {axis: number; start: number; size: number},
): T {
  const pieces: tf.Tensor[] = [];
  let from = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    const length = part.shape[axis]!;
    const first = Math.max(0, start - from);
    const end = Math.min(length, start + size - from);
    from += length;
    if (first >= end) continue;
    if (first === 0 && end === length) {
      pieces.push(part);
      continue;
    }
    const begin = part.shape.map(() => 0);
    const extent = part.shape.slice();
    begin[axis] = first;
    extent[axis] = end - first;
    pieces.push(tf.slice(part, begin, extent));
  }
  return (pieces.length === 1 ? tf.clone(pieces[0]!) : tf.concat(pieces, axis)) as T;
}
