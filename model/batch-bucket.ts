/**
 * The batch size to compute a number of rows with: 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on, so that steps of few sizes are compiled. At
 * most a third of a batch is filled up.
 */
export function batchBucket(rows: number): number {
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new RangeError(
      `Cannot choose a batch size as the number of rows must be a positive integer: current value is ${rows}`,
    );
  }
  let power = 1;
  while (power < rows) power *= 2;
  const between = power * 0.75;
  return Number.isInteger(between) && rows <= between ? between : power;
}
