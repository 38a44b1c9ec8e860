/** A vector scaled to length 1; zeros stay zeros. [d] */
export function unitVector(vector: Float64Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((squares, value) => squares + value * value, 0));
  return Float32Array.from(vector, value => (norm === 0 ? 0 : value / norm));
}
