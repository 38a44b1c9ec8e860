import type {ModelConfig} from '../model/model-config.ts';

/**
 * Floating-point operations that one token of a step needs with full memories, projections of memory kept, logits included: multiplications and
 * additions of matrix products, of those attention scores only that a query may see (docs/model.md).
 */
export function flopsPerToken(config: ModelConfig): number {
  const {segmentLength: n, memoryLength, compressedMemoryLength, compressionRate: c} = config;
  const {layers, modelWidth: d, feedForwardWidth: f, vocabularySize} = config;
  const seen = compressedMemoryLength + memoryLength + (n + 1) / 2;
  const perLayer =
    4 * d * d + // queries, keys, values, output
    3 * d * seen + // content scores, position scores, mixing
    2 * d * f +
    d * d + // convolution
    (2 * d * d) / c; // keys and values of compressed rows
  return 2 * (layers * perLayer + d * vocabularySize);
}
