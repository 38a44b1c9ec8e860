import type {ModelConfig} from '../model-config.ts';

/** Name in `config.json` of each field of {@link ModelConfig}; those that Transformers knows have its names. */
export const modelConfigFile = {
  hidden_size: 'modelWidth',
  num_hidden_layers: 'layers',
  num_attention_heads: 'heads',
  intermediate_size: 'feedForwardWidth',
  vocab_size: 'vocabularySize',
  segment_length: 'segmentLength',
  mem_len: 'memoryLength',
  cmem_len: 'compressedMemoryLength',
  compression_rate: 'compressionRate',
  compressor: 'compressor',
} as const satisfies Record<string, keyof ModelConfig>;

/** What `config.json` says besides the sizes. */
export type ModelDescription = {
  readonly name: string;
  readonly config: ModelConfig;
  /** Whether the weights are more than a random start. */
  readonly trained: boolean;
};
