import type {LexicalSizes} from '../../model/lexical/lexical-counts.ts';
import type {SparseFeatures} from '../../model/lexical/lexical-features.ts';
import {LexicalHead} from '../../model/lexical/lexical-head.ts';
import {LexicalSketch} from '../../model/lexical/lexical-sketch.ts';
import type {SummaryParts} from '../../model/summary/summary-head.ts';
import {TransformerHead} from '../../model/summary/transformer-head.ts';
import {type Discriminant, type FitDiscriminantOptions, fitDiscriminant} from './fit-discriminant.ts';
import type {ExcerptFrequencies, SummaryDocument} from './read-summary-corpus.ts';
import {SparseRows} from './sparse-rows.ts';

export type FitSummaryPartsOptions = {
  readonly sizes: LexicalSizes;
  /** d */
  readonly width: number;
  readonly frequencies: readonly ExcerptFrequencies[];
  /** Most numbers of each part. */
  readonly dimensions: SummaryParts;
};

/** The parts of a summary head without their shares. */
export type FittedSummaryParts = {
  readonly lexical: LexicalHead;
  readonly sketch: LexicalSketch;
  readonly transformer: TransformerHead;
};

/** Chosen on authors held out of training books; docs/retrieval.md has the figures. */
const settings = {iterations: 4, ridge: 1};

/** Yields after each pass over the excerpts, of which there are this many. */
export const summaryFitPasses = 2 * (settings.iterations + 2);

/** Trains the parts of a summary head on documents. */
export function* fitSummaryParts(
  documents: readonly SummaryDocument[],
  {sizes, width, frequencies, dimensions}: FitSummaryPartsOptions,
): Generator<void, FittedSummaryParts> {
  const discriminant = (
    features: readonly (readonly SparseFeatures[])[],
    {columns, dimension}: {readonly columns: number; readonly dimension: number},
  ) =>
    fitDiscriminant(new SparseRows(features.flat(), {columns}), {
      documents: features.flatMap((excerpts, document) => excerpts.map(() => document)),
      // There are no more directions than features.
      dimension: Math.min(dimension, columns),
      ...settings,
    } satisfies FitDiscriminantOptions);
  const lexical = withinFloat16(
    yield* discriminant(
      documents.map(document => document.lexical),
      {columns: sizes.vocabularySize, dimension: dimensions.lexical},
    ),
  );
  const mean = meanOf(documents.flatMap(document => document.transformer)); // [G]
  const transformer = withinFloat16(
    yield* discriminant(
      documents.map(document => document.transformer.map(allOf)),
      {columns: mean.length, dimension: dimensions.transformer},
    ),
  );
  return {
    lexical: new LexicalHead(lexical),
    sketch: new LexicalSketch({
      ...sizes,
      inverseFrequencies: inverseFrequencies(frequencies),
      dimension: dimensions.sketch,
    }),
    transformer: new TransformerHead({width, mean, projection: transformer.projection}),
  };
}

/** The same directions, as vectors are scaled to length 1, in numbers that float16 holds. */
function withinFloat16({projection, bias}: Discriminant): Discriminant {
  const largest = [projection, bias].reduce(
    (most, values) => values.reduce((greater, value) => Math.max(greater, Math.abs(value)), most),
    0,
  );
  const scale = (values: Float32Array) => values.map(value => (value / largest) * 1024);
  return {projection: scale(projection), bias: scale(bias)};
}

function inverseFrequencies(frequencies: readonly ExcerptFrequencies[]): Float32Array {
  const excerpts = frequencies.reduce((sum, all) => sum + all.excerpts, 0);
  return Float32Array.from(frequencies[0]!.counts, (_, feature) =>
    Math.log((1 + excerpts) / (1 + frequencies.reduce((sum, {counts}) => sum + counts[feature]!, 0))),
  );
}

function meanOf(rows: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) for (const [i, value] of row.entries()) sum[i]! += value;
  return Float32Array.from(sum, value => value / rows.length);
}

function allOf(values: Float32Array): SparseFeatures {
  return {indices: Int32Array.from(values.keys()), values};
}
