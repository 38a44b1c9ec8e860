import type {ModelConfig} from '../model/model-config.ts';

/**
 * Floating-point operations that one token of a training step needs with full memories, by the language-modelling loss and attention
 * reconstruction: those of matrix products forward and backward, without what is computed again to save memory.
 */
export function trainingFlopsPerToken(config: ModelConfig): number {
  const {segmentLength: n, memoryLength, compressedMemoryLength, compressionRate: c} = config;
  const {layers, modelWidth: d, feedForwardWidth: f, vocabularySize} = config;
  const seen = compressedMemoryLength + memoryLength + (n + 1) / 2;
  // A product has two gradients, unless one factor is constant: one.
  const perLayer =
    3 * (4 * d * d + 2 * d * f) + // queries, keys, values, output, feed-forward
    (2 * 2 * d * d * (memoryLength + compressedMemoryLength)) / n + // keys and values of remembered rows, which are constant
    3 * 3 * d * seen + // content scores, position scores, mixing
    2 * d * d + // convolution of rows, which are constant
    2 * d * d + // keys and values of evicted rows, which are constant altogether
    (2 * 2 * d * d) / c + // keys and values of compressed rows, by weights that are constant
    2 * d * n + // attention to evicted rows
    (5 * d * n) / c; // attention to compressed rows, by queries that are constant
  return 2 * (layers * perLayer + 3 * d * vocabularySize);
}
