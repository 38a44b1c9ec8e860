import type {ComparisonRun} from './comparison-run.ts';

type Variant = Omit<ComparisonRun, 'seed'>;
type Lengths = Pick<ComparisonRun, 'memoryLength' | 'compressedMemoryLength'>;

/** Lengths of memories, one segment and four. */
const short = 64;
const long = 4 * short;

const transformerXl = (memoryLength: number): Variant => ({
  system: 'Transformer-XL',
  memoryLength,
  compressedMemoryLength: 0,
  compressor: 'mean-pool',
  compressionLoss: 'none',
});

/** n_m = n_cm, unless the latter is given. */
const compressive = (
  compressor: ComparisonRun['compressor'],
  compressionLoss: ComparisonRun['compressionLoss'],
  {memoryLength = short, compressedMemoryLength = memoryLength}: Partial<Lengths> = {},
): Variant => ({
  system: 'Compressive Transformer',
  memoryLength,
  compressedMemoryLength,
  compressor,
  compressionLoss,
});

/** The two that the paper is about: the same number of slots, thus the same cost of attention and the same state. */
const rivals = (memoryLength: number): Variant[] => [
  transformerXl(2 * memoryLength),
  compressive('convolution', 'attention-reconstruction', {memoryLength}),
];

const compressors = [
  compressive('mean-pool', 'none'),
  compressive('max-pool', 'none'),
  compressive('dilated-convolution', 'attention-reconstruction'),
  compressive('most-used', 'none'),
];

const losses = [compressive('convolution', 'auto-encoding'), compressive('convolution', 'backpropagation')];

/** What the memories are worth: the uncompressed one alone, and one that reaches as far back uncompressed. */
const reaches = [transformerXl(short), transformerXl(short + 4 * short)];

const compressedLengths = [short / 2, 2 * short, 4 * short].map(compressedMemoryLength =>
  compressive('convolution', 'attention-reconstruction', {compressedMemoryLength}),
);

const seeded = (variants: readonly Variant[], seed: number): ComparisonRun[] =>
  variants.map(variant => ({...variant, seed}));

/** What the paper advises: gradients clipped at 0.1, and fewer updates late in training. */
const advised = [{clip: 0.1}, {lateUpdatesEvery: 4}].flatMap(advice =>
  rivals(short).map(variant => ({...variant, ...advice})),
);

/** As many slots as the rivals, fewer of them compressed. */
const mostlyUncompressed = compressive('convolution', 'attention-reconstruction', {
  memoryLength: short + short / 2,
  compressedMemoryLength: short / 2,
});

/** All runs, the most telling first. */
export const comparisonRuns: readonly ComparisonRun[] = [
  ...seeded(rivals(short), 1),
  ...seeded([compressors[0]!], 1),
  ...seeded(rivals(long), 1),
  ...seeded(rivals(short), 2),
  ...seeded(rivals(long), 2),
  ...seeded(reaches, 1),
  ...seeded(losses, 1),
  ...seeded(advised, 1),
  ...seeded([mostlyUncompressed], 1),
  ...seeded(compressors.slice(1), 1),
  ...seeded(compressedLengths, 1),
  ...seeded([...compressors, ...losses], 2),
];
