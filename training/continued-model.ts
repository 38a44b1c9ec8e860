import type {ModelConfig} from '../model/model-config.ts';

/** A model to go on from, and what its memories are to be instead, where they are to be other ones. */
export type ContinuedModel = {
  /** The folder of the model. */
  readonly from: string;
} & Partial<Pick<ModelConfig, 'memoryLength' | 'compressedMemoryLength' | 'compressionRate' | 'compressor'>>;
