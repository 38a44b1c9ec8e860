/**
 * X of A X = B by Cholesky's decomposition, in float64.
 *
 * @param a A, symmetric and positive definite. [n, n]
 * @param b B. [n, n]
 * @returns X. [n, n]
 */
export function solvePositiveDefinite(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const lower = a.slice();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!;
    }
  }
  const x = b.slice();
  const subtract = (row: number, from: number, factor: number) => {
    for (let column = 0; column < n; column++) x[row * n + column]! -= factor * x[from * n + column]!;
  };
  const divide = (row: number) => {
    for (let column = 0; column < n; column++) x[row * n + column]! /= lower[row * n + row]!;
  };
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtract(i, k, lower[i * n + k]!);
    divide(i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtract(i, k, lower[k * n + i]!);
    divide(i);
  }
  return x;
}
