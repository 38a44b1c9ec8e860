/**
 * Sinusoidal position table R[δ], sine half first (Dai et al. 2019, as in the authors' code).
 *
 * @param distances δ of each row, in tokens. [S]
 * @param width d, even.
 * @returns [S, d], row-major, computed in float64 and rounded once.
 */
export function sinusoidTable(distances: readonly number[], width: number): Float32Array {
  const half = width / 2;
  const table = new Float32Array(distances.length * width);
  for (const [row, distance] of distances.entries()) {
    for (let t = 0; t < half; t++) {
      const angle = distance * 10_000 ** ((-2 * t) / width);
      table[row * width + t] = Math.sin(angle);
      table[row * width + half + t] = Math.cos(angle);
    }
  }
  return table;
}
