/** Greatest error of `actual`, relative to the expected value or, where that is small, to the root mean square of them all. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  if (expected.length === 0) return 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) squares += expected[i]! ** 2;
  const typical = Math.sqrt(squares / expected.length);
  let greatest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    const error = difference === 0 ? 0 : difference / Math.max(Math.abs(expected[i]!), typical);
    // Written so that NaN counts as an error.
    if (!(error <= greatest)) greatest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return greatest;
}
