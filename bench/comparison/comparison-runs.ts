import type {ComparisonRun} from './comparison-run.ts';

type Variant = Omit<ComparisonRun, 'seed'>;

/** n = n_m = n_cm of the Compressive Transformers that are compared with each other. */
const length = 64;

const transformerXl = (memoryLength: number): Variant => ({
  system: 'Transformer-XL',
  memoryLength,
  compressedMemoryLength: 0,
  compressor: 'mean-pool',
  compressionLoss: 'none',
});

const compressive = (
  compressor: ComparisonRun['compressor'],
  compressionLoss: ComparisonRun['compressionLoss'],
  compressedMemoryLength = length,
): Variant => ({
  system: 'Compressive Transformer',
  memoryLength: length,
  compressedMemoryLength,
  compressor,
  compressionLoss,
});

/** The two that the paper is about: the same number of slots, thus the same cost of attention and the same state. */
const rivals = [transformerXl(2 * length), compressive('convolution', 'attention-reconstruction')];

const compressors = [
  compressive('mean-pool', 'none'),
  compressive('max-pool', 'none'),
  compressive('dilated-convolution', 'attention-reconstruction'),
  compressive('most-used', 'none'),
];

const losses = [compressive('convolution', 'auto-encoding'), compressive('convolution', 'backpropagation')];

/** What the memories are worth: the uncompressed one alone, and one that reaches as far back uncompressed. */
const reaches = [transformerXl(length), transformerXl(length + 4 * length)];

const compressedLengths = [length / 2, 2 * length, 4 * length].map(compressedMemoryLength =>
  compressive('convolution', 'attention-reconstruction', compressedMemoryLength),
);

const seeded = (variants: readonly Variant[], seed: number): ComparisonRun[] =>
  variants.map(variant => ({...variant, seed}));

/** All runs, the most telling first. */
export const comparisonRuns: readonly ComparisonRun[] = [
  ...seeded(rivals, 1),
  ...seeded([compressors[0]!], 1),
  ...seeded(rivals, 2),
  ...seeded(reaches, 1),
  ...seeded(losses, 1),
  ...seeded(compressors.slice(1), 1),
  ...seeded(compressedLengths, 1),
  ...seeded([...compressors, ...losses], 2),
];
