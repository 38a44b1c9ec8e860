/**
 * Cosines of all vectors with each other; a vector of zeros has cosine 0 with all.
 *
 * @param vectors Of one length. [n][d]
 * @returns Row by row. [n, n]
 * @throws {RangeError} If a vector has another length.
 */
export function cosineSimilarities(vectors: readonly ArrayLike<number>[]): Float64Array {
  const n = vectors.length;
  const unit = vectors.map((vector, index) => {
    if (vector.length !== vectors[0]!.length) {
      throw new RangeError(
        `Cannot compare vectors as all must have ${vectors[0]!.length} numbers: vector ${index} has ${vector.length}`,
      );
    }
    const values = Float64Array.from(vector);
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return norm === 0 ? values : values.map(value => value / norm);
  });
  const similarities = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const cosine = unit[i]!.reduce((sum, value, k) => sum + value * unit[j]![k]!, 0);
      similarities[i * n + j] = cosine;
      similarities[j * n + i] = cosine;
    }
  }
  return similarities;
}
