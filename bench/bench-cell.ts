import type {ModelConfig} from '../model/model-config.ts';

/** A configuration at one batch size. */
export type BenchCell = {
  /** Configuration and batch, such as "A8". */
  readonly name: string;
  readonly configuration: string;
  /** Documents in one step. */
  readonly batch: number;
  readonly config: ModelConfig;
};

const alike = {compressionRate: 4, compressor: 'convolution', layers: 6, vocabularySize: 8192} as const;

const configurations = {
  A: {
    ...alike,
    segmentLength: 512,
    memoryLength: 512,
    compressedMemoryLength: 128,
    heads: 8,
    modelWidth: 512,
    feedForwardWidth: 2048,
  },
  B: {
    ...alike,
    segmentLength: 128,
    memoryLength: 256,
    compressedMemoryLength: 256,
    heads: 4,
    modelWidth: 256,
    feedForwardWidth: 1024,
  },
} satisfies Record<string, ModelConfig>;

/** What the benchmark measures, in the order it is printed. */
export const benchCells: readonly BenchCell[] = [cell('A', 1), cell('A', 8), cell('B', 1), cell('B', 16)];

function cell(configuration: keyof typeof configurations, batch: number): BenchCell {
  return {name: `${configuration}${batch}`, configuration, batch, config: configurations[configuration]};
}
