import type {ModelConfig} from '../model/model-config.ts';

/** A model to go on from, and what its segments and memories are to be instead, where they are to be other ones. */
export type ContinuedModel = {
  /** The folder of the model. */
  readonly from: string;
} & Partial<
  Pick<ModelConfig, 'segmentLength' | 'memoryLength' | 'compressedMemoryLength' | 'compressionRate' | 'compressor'>
>;
