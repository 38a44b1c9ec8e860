import type {ModelConfig} from '../model/model-config.ts';

type Sizes = Omit<ModelConfig, 'vocabularySize' | 'compressor' | 'compressionRate'>;

/** Sizes of untrained models to start from. */
export const modelPresets = {
  tiny: sizes({layers: 2, heads: 2, modelWidth: 64, feedForwardWidth: 256, length: 32}),
  small: {...sizes({layers: 6, heads: 4, modelWidth: 256, feedForwardWidth: 1024, length: 256}), segmentLength: 128},
  base: sizes({layers: 12, heads: 12, modelWidth: 768, feedForwardWidth: 3072, length: 512}),
} as const;

function sizes({length, ...network}: Omit<Sizes, `${string}Length`> & {length: number}): Sizes {
  return {...network, segmentLength: length, memoryLength: length, compressedMemoryLength: length};
}
