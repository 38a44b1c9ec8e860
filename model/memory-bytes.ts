import type {ModelConfig} from './model-config.ts';

/** Bytes that one full memory takes in the engine: rows, keys and values of both tiers in float32, in every layer. */
export function memoryBytes({layers, modelWidth, memoryLength, compressedMemoryLength}: ModelConfig): number {
  const copies = 3;
  return 4 * (copies * layers * (memoryLength + compressedMemoryLength) * modelWidth + modelWidth);
}
