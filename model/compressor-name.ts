/** The compression functions of Rae et al. 2019, section 3.2. */
export const compressorNames = ['mean-pool', 'max-pool', 'convolution', 'dilated-convolution', 'most-used'] as const;

/** One of {@link compressorNames}. */
export type CompressorName = (typeof compressorNames)[number];
