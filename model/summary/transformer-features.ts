/** What the transformer's part of a document's vector is made from. */
export type TransformerSummary = {
  /** Sum of the final hidden vectors of all tokens. [d] */
  readonly hiddenSum: ArrayLike<number>;
  /** Mean of the compressed rows of each layer; empty if nothing is compressed yet. [l · d] */
  readonly compressedMeans: ArrayLike<number>;
};

/**
 * The mean final hidden vector and each layer's mean compressed row, each scaled to length 1, one behind the other.
 *
 * @param width d
 * @returns [d] or [(1 + l) · d]; zeros where a vector is zero.
 */
export function transformerFeatures({hiddenSum, compressedMeans}: TransformerSummary, width: number): Float32Array {
  const features = new Float32Array(width + compressedMeans.length);
  features.set(hiddenSum);
  features.set(compressedMeans, width);
  for (let start = 0; start < features.length; start += width) {
    const block = features.subarray(start, start + width); // [d]
    const norm = Math.sqrt(block.reduce((sum, value) => sum + value * value, 0));
    if (norm > 0) block.set(block.map(value => value / norm));
  }
  return features;
}
