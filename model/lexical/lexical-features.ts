/** Features that are not zero. */
export type SparseFeatures = {
  /** In rising order. [k] */
  readonly indices: Int32Array;
  /** [k] */
  readonly values: Float32Array;
};

/**
 * The square root of each count, scaled to length 1. The root keeps frequent words from drowning rare ones and names, which tell documents apart.
 *
 * @param counts How often each token occurred. [V]
 */
export function lexicalFeatures(counts: Uint32Array): SparseFeatures {
  const indices: number[] = [];
  const values: number[] = [];
  let squares = 0;
  for (let feature = 0; feature < counts.length; feature++) {
    const value = Math.sqrt(counts[feature]!);
    if (value === 0) continue;
    indices.push(feature);
    values.push(value);
    squares += value * value;
  }
  const norm = Math.sqrt(squares);
  return {indices: Int32Array.from(indices), values: Float32Array.from(values, value => value / norm)};
}
