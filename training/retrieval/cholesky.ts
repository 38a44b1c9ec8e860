import {NumericalError} from '../../errors.ts';

/**
 * Factors a symmetric positive definite matrix S into L Lᵀ, L lower triangular.
 *
 * @param matrix S, row by row. [m, m]
 * @returns L, row by row, zeros above its diagonal. [m, m]
 * @throws {NumericalError} If S is not positive definite.
 */
export function cholesky(matrix: Float64Array, m: number): Float64Array {
  const factor = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * m + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * m + k]! * factor[j * m + k]!;
      if (i !== j) factor[i * m + j] = sum / factor[j * m + j]!;
      else if (sum > 0) factor[i * m + i] = Math.sqrt(sum);
      else throw new NumericalError(`Cannot factor a matrix as it must be positive definite: pivot ${i} is ${sum}`);
    }
  }
  return factor;
}
