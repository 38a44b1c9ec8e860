import type {CompressorName} from './compressor-name.ts';

/** Sizes of a Compressive Transformer. All lengths are in tokens or slots. */
export type ModelConfig = {
  /** n: tokens read in one step. */
  readonly segmentLength: number;
  /** n_m: slots of uncompressed memory in each layer. */
  readonly memoryLength: number;
  /** n_cm: slots of compressed memory in each layer; 0 makes a Transformer-XL. */
  readonly compressedMemoryLength: number;
  /** c: evicted rows that become one compressed slot. */
  readonly compressionRate: number;
  readonly compressor: CompressorName;
  /** l */
  readonly layers: number;
  /** H */
  readonly heads: number;
  /** d */
  readonly modelWidth: number;
  /** f: hidden width of the feed-forward block. */
  readonly feedForwardWidth: number;
  /** V */
  readonly vocabularySize: number;
};
