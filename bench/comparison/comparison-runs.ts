import type {ComparisonRun} from './comparison-run.ts';

type Variant = Omit<ComparisonRun, 'seed'>;
type Lengths = Pick<ComparisonRun, 'segmentLength' | 'memoryLength'> &
  Partial<Pick<ComparisonRun, 'compressedMemoryLength'>>;

/** Memories of a segment and of four, and of one short segment. */
const short: Lengths = {memoryLength: 64};
const long: Lengths = {memoryLength: 256};
const brief: Lengths = {segmentLength: 16, memoryLength: 16};

const transformerXl = (lengths: Lengths): Variant => ({
  system: 'Transformer-XL',
  ...lengths,
  compressedMemoryLength: 0,
  compressor: 'mean-pool',
  compressionLoss: 'none',
});

/** n_m = n_cm, unless the latter is given. */
const compressive = (
  compressor: ComparisonRun['compressor'],
  compressionLoss: ComparisonRun['compressionLoss'],
  lengths: Lengths,
): Variant => ({
  system: 'Compressive Transformer',
  compressedMemoryLength: lengths.memoryLength,
  ...lengths,
  compressor,
  compressionLoss,
});

const convolution = (lengths: Lengths) => compressive('convolution', 'attention-reconstruction', lengths);

/** The two that the paper is about: the same number of slots, thus the same cost of attention and the same state. */
const rivals = (lengths: Lengths): Variant[] => [
  transformerXl({...lengths, memoryLength: 2 * lengths.memoryLength}),
  convolution(lengths),
];

const meanPool = compressive('mean-pool', 'none', short);

const otherCompressors = [
  compressive('max-pool', 'none', short),
  compressive('dilated-convolution', 'attention-reconstruction', short),
  compressive('most-used', 'none', short),
];

const losses = [
  compressive('convolution', 'auto-encoding', short),
  compressive('convolution', 'backpropagation', short),
];

/** What the memories are worth: the uncompressed one alone, and one that reaches as far back uncompressed. */
const reaches = [64, 64 + 4 * 64].map(memoryLength => transformerXl({memoryLength}));

const compressedLengths = [32, 128, 256].map(compressedMemoryLength => convolution({...short, compressedMemoryLength}));

const seeded = (variants: readonly Variant[], seed: number): ComparisonRun[] =>
  variants.map(variant => ({...variant, seed}));

/** What the paper advises: gradients clipped at 0.1, and fewer updates late in training. */
const advised = [{clip: 0.1}, {lateUpdatesEvery: 4}].flatMap(advice =>
  rivals(short).map(variant => ({...variant, ...advice})),
);

/** As many slots as the rivals, fewer of them compressed. */
const mostlyUncompressed = convolution({memoryLength: 96, compressedMemoryLength: 32});

/** All runs, the most telling first. */
export const comparisonRuns: readonly ComparisonRun[] = [
  ...seeded(rivals(short), 1),
  ...seeded([meanPool], 1),
  ...seeded(rivals(long), 1),
  ...seeded(rivals(short), 2),
  ...seeded(rivals(long), 2),
  ...seeded(reaches, 1),
  ...seeded(losses, 1),
  ...seeded(rivals(brief), 1),
  ...seeded(advised, 1),
  ...seeded([mostlyUncompressed], 1),
  ...seeded(otherCompressors, 1),
  ...seeded(compressedLengths, 1),
  ...seeded([meanPool, ...otherCompressors, ...losses], 2),
];
