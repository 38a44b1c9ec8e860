/** Root of the mean squared error, relative to that of what is expected. */
export function relativeDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = 0;
  let whole = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    whole += expected[i]! ** 2;
  }
  return Math.sqrt(error / whole);
}
