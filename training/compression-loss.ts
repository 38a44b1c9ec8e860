/**
 * How a compressor learns (Rae et al. 2019, section 3.3): by what attention it preserves, by what rows it can give back, through the
 * language-modelling loss of the segment that follows, or not at all.
 */
export const compressionLossNames = ['attention-reconstruction', 'auto-encoding', 'backpropagation', 'none'] as const;

/** One of {@link compressionLossNames}. */
export type CompressionLossName = (typeof compressionLossNames)[number];
