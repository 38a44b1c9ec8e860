export type BatchBucketsOptions = {
  /** Smallest size. @default 1 */
  readonly least?: number;
};

/** What the call of a step costs beside its rows, in rows: the wider the model, the less (docs/performance.md, "Batch sizes"). */
const callCost = 1;

/**
 * Sizes of the batches that take a number of rows at the least cost, where a compiled step exists for powers of two alone. Rows fill them in
 * order; what the last one is larger than its rows is padding.
 *
 * @param rows At least 1.
 * @returns Largest first; fewer ones where two ways cost the same.
 */
export function batchBuckets(rows: number, {least = 1}: BatchBucketsOptions = {}): number[] {
  const larger = Math.max(least, 2 ** Math.ceil(Math.log2(rows)));
  const smaller = larger / 2;
  if (smaller < least || larger === rows) return [larger];
  const split = [smaller, ...batchBuckets(rows - smaller, {least})];
  return cost(split) < cost([larger]) ? split : [larger];
}

function cost(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + callCost + size, 0);
}
