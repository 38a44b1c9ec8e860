import {setImmediate} from 'node:timers/promises';
import {ModelError} from '../../errors.ts';
import type {Model} from '../../model/model.ts';
import {SummaryHead, type SummaryParts} from '../../model/summary/summary-head.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {Corpus} from '../documents/corpus.ts';
import {type ChosenShares, chooseShares} from './choose-shares.ts';
import {cosineSimilarities} from './cosine-similarities.ts';
import {ExcerptFeaturesCache} from './excerpt-features-cache.ts';
import {type FittedSummaryParts, fitSummaryParts, summaryFitPasses} from './fit-summary-parts.ts';
import {type HeldOutDocument, readSummaryCorpus} from './read-summary-corpus.ts';

/** How far training is: documents are read, then passes over excerpts made, first to choose shares, then to train on all documents. */
export type SummaryHeadProgress = {
  readonly phase: 'reading' | 'choosing' | 'fitting';
  readonly done: number;
  readonly total: number;
};

export type TrainSummaryHeadOptions = {
  /** The model, without a head. */
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** Folder that keeps what the model made of each document, so that training goes on after an interruption. */
  readonly cache: string;
  /** Most numbers of a vector. @default 512 */
  readonly dimension?: number;
  /** Buckets that pairs of tokens share; a power of two, or 0 to count no pairs. @default 8192 */
  readonly pairBuckets?: number;
  /** Tokens of an excerpt. @default 8000 */
  readonly excerptTokens?: number;
  /** Excerpts of one document whose tokens are counted at most, from its start. @default 64 */
  readonly mostExcerpts?: number;
  /** Excerpts of one document that the model reads at most, spread over those that are counted. @default 4 */
  readonly readExcerpts?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: SummaryHeadProgress) => void;
};

/** A head, and what it was trained on and found. */
export type TrainedSummaryHead = {
  readonly head: SummaryHead;
  /** Documents that were long enough. */
  readonly documents: number;
  /** How well held-out documents are found, by the head that was trained without them and chose the shares. */
  readonly validation: {
    readonly documents: number;
    readonly lexical: ChosenShares;
    readonly sketch: ChosenShares;
    readonly transformer: ChosenShares;
    readonly withoutTransformer: ChosenShares;
    readonly all: ChosenShares;
  };
};

const leastDocuments = 10;
const leastHeldOut = 2;

/**
 * Trains what makes a document's vector, without labels: excerpts of one document come to lie near each other, those of different ones apart.
 *
 * @throws {RangeError} If an option is none.
 * @throws {ModelError} If fewer than ten documents are long enough for two excerpts.
 */
export async function trainSummaryHead(
  corpus: Corpus,
  {
    model,
    tokenizer,
    cache,
    dimension = 512,
    pairBuckets = 8192,
    excerptTokens: length = 8000,
    mostExcerpts = 64,
    readExcerpts = 4,
    signal,
    onProgress = () => {},
  }: TrainSummaryHeadOptions,
): Promise<TrainedSummaryHead> {
  const least = {dimension: 8, excerptTokens: 1, mostExcerpts: 2, readExcerpts: 2};
  for (const [name, value] of Object.entries({dimension, excerptTokens: length, mostExcerpts, readExcerpts})) {
    const lowest = least[name as keyof typeof least];
    if (Number.isSafeInteger(value) && value >= lowest) continue;
    throw new RangeError(
      `Cannot train a summary head as ${name} must be a whole number, at least ${lowest}: current value is ${value}`,
    );
  }
  const {modelWidth: width, vocabularySize} = model.config;
  const sizes = {vocabularySize, pairBuckets};
  const {training, heldOut, frequencies} = await readSummaryCorpus(corpus.documents, {
    model,
    tokenizer,
    sizes,
    length,
    mostExcerpts,
    readExcerpts,
    cache: await ExcerptFeaturesCache.open(cache, {model: model.fingerprint, length, readExcerpts, mostExcerpts}),
    signal,
    onProgress: done => onProgress({phase: 'reading', done, total: corpus.documents.length}),
  });
  const documents = training.length + heldOut.length;
  if (documents < leastDocuments || heldOut.length < leastHeldOut) {
    throw new ModelError(
      `Cannot train a summary head as ${leastDocuments} documents or more must have two excerpts of ${length} tokens: current corpus has ${documents}; use more or longer ones, or shorter excerpts`,
    );
  }
  const options = {sizes, width, dimensions: dimensionsOf(dimension)};
  const finish = async (
    phase: 'choosing' | 'fitting',
    fitting: Generator<void, FittedSummaryParts>,
  ): Promise<FittedSummaryParts> => {
    for (let pass = 1; ; pass++) {
      const {done, value} = fitting.next();
      if (done) return value;
      onProgress({phase, done: pass, total: summaryFitPasses});
      await setImmediate();
      signal?.throwIfAborted();
    }
  };
  const first = await finish('choosing', fitSummaryParts(training, {...options, frequencies: [frequencies.training]}));
  const validation = validate(first, heldOut);
  const parts = await finish(
    'fitting',
    fitSummaryParts([...training, ...heldOut], {...options, frequencies: Object.values(frequencies)}),
  );
  return {
    head: new SummaryHead({...parts, shares: validation.all.shares}),
    documents,
    validation: {documents: heldOut.length, ...validation},
  };
}

/** How many numbers each part has at most; chosen on held-out authors as well. */
function dimensionsOf(dimension: number): SummaryParts {
  const transformer = Math.floor(dimension / 8);
  const sketch = Math.floor((3 * dimension) / 16);
  return {lexical: dimension - sketch - transformer, sketch, transformer};
}

function validate(
  {lexical, sketch, transformer}: FittedSummaryParts,
  documents: readonly HeldOutDocument[],
): Omit<TrainedSummaryHead['validation'], 'documents'> {
  const counts = documents.flatMap(document => document.counts);
  const {width} = transformer.weights;
  const read = documents.flatMap(document => [document.transformer[0]!, document.transformer.at(-1)!]);
  const similarities = {
    lexical: cosineSimilarities(counts.map(counted => lexical.embed(counted))),
    sketch: cosineSimilarities(counts.map(counted => sketch.embed(counted))),
    transformer: cosineSimilarities(
      read.map(features =>
        transformer.embed({hiddenSum: features.subarray(0, width), compressedMeans: features.subarray(width)}),
      ),
    ),
  };
  const partners = counts.map((_, i) => i ^ 1);
  const among = (parts: readonly (keyof SummaryParts)[]) => chooseShares(similarities, {partners, parts});
  return {
    lexical: among(['lexical']),
    sketch: among(['sketch']),
    transformer: among(['transformer']),
    withoutTransformer: among(['lexical', 'sketch']),
    all: among(['lexical', 'sketch', 'transformer']),
  };
}
