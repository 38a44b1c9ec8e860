import type {ModelConfig} from './model-config.ts';

/** Whether the memory update goes by the attention that rows received. */
export function needsReceivedAttention({compressor, compressedMemoryLength}: ModelConfig): boolean {
  return compressor === 'most-used' && compressedMemoryLength > 0;
}
