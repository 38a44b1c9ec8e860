/**
 * The mean of the embeddings of tokens.
 *
 * @param embedding Row by row. [V, d]
 * @returns [d]
 */
export function meanTokenEmbedding(
  tokens: Int32Array,
  {embedding, width}: {readonly embedding: Float32Array; readonly width: number},
): Float64Array {
  const mean = new Float64Array(width);
  for (const token of tokens) {
    for (let j = 0; j < width; j++) mean[j]! += embedding[token * width + j]! / tokens.length;
  }
  return mean;
}
