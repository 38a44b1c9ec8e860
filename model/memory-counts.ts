import type {ModelConfig} from './model-config.ts';

/** Filled slots of one document's memory; the same in every layer. */
export type MemoryCounts = {
  /** v_m */
  readonly memory: number;
  /** v_cm */
  readonly compressed: number;
};

/** What one full segment does to a memory. */
export type MemoryUpdate = {
  /** Rows that leave the uncompressed memory. */
  readonly evicted: number;
  /** Counts afterwards. */
  readonly counts: MemoryCounts;
};

/** Counts and evictions of a memory update (docs/model.md, "Memory update"). */
export function updateCounts(counts: MemoryCounts, config: ModelConfig): MemoryUpdate {
  const {segmentLength: n, memoryLength, compressedMemoryLength, compressionRate: c} = config;
  const available = counts.memory + n;
  const overflow = Math.max(0, available - memoryLength);
  if (compressedMemoryLength === 0) {
    return {evicted: overflow, counts: {memory: available - overflow, compressed: 0}};
  }
  const evicted = Math.ceil(overflow / c) * c;
  return {
    evicted,
    counts: {
      memory: available - evicted,
      compressed: Math.min(compressedMemoryLength, counts.compressed + evicted / c),
    },
  };
}
