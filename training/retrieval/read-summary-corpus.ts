import {LexicalCounts, type LexicalSizes} from '../../model/lexical/lexical-counts.ts';
import {lexicalFeatures, type SparseFeatures} from '../../model/lexical/lexical-features.ts';
import type {Model} from '../../model/model.ts';
import {transformerFeatures} from '../../model/summary/transformer-features.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {CorpusDocument} from '../documents/corpus.ts';
import {documentOrder} from '../documents/document-order.ts';
import type {ExcerptFeaturesCache} from './excerpt-features-cache.ts';
import {excerptTokens} from './excerpt-tokens.ts';
import {summariseTokens} from './summarise-tokens.ts';

/** What a summary head is trained on, of one document. */
export type SummaryDocument = {
  /** Of the tokens of each excerpt. */
  readonly lexical: readonly SparseFeatures[];
  /** Of the excerpts that the model read. [E][G] */
  readonly transformer: readonly Float32Array[];
};

/** A document to choose shares by; its first excerpt that the model read, and its last, are to find each other. */
export type HeldOutDocument = SummaryDocument & {readonly counts: readonly [LexicalCounts, LexicalCounts]};

/** In how many excerpts each token and each bucket of pairs occurs. */
export type ExcerptFrequencies = {excerpts: number; readonly counts: Uint32Array};

/** Documents of two excerpts or more. */
export type SummaryCorpus = {
  readonly training: readonly SummaryDocument[];
  readonly heldOut: readonly HeldOutDocument[];
  readonly frequencies: {readonly training: ExcerptFrequencies; readonly heldOut: ExcerptFrequencies};
};

export type ReadSummaryCorpusOptions = {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly sizes: LexicalSizes;
  /** Tokens of an excerpt. */
  readonly length: number;
  /** Excerpts of a document that are counted at most. */
  readonly mostExcerpts: number;
  /** Excerpts of a document that the model reads at most. */
  readonly readExcerpts: number;
  readonly cache: ExcerptFeaturesCache;
  readonly signal?: AbortSignal | undefined;
  /** Told of documents that were read. */
  readonly onProgress: (done: number) => void;
};

/** One document in so many is held out. */
const heldOutEvery = 5;

/** Reads documents for the training of a summary head, with the model as far as the cache does not know what it gives. */
export async function readSummaryCorpus(
  documents: readonly CorpusDocument[],
  {model, tokenizer, sizes, length, mostExcerpts, readExcerpts, cache, signal, onProgress}: ReadSummaryCorpusOptions,
): Promise<SummaryCorpus> {
  const training: SummaryDocument[] = [];
  const heldOut: HeldOutDocument[] = [];
  const frequencies = {training: noFrequencies(sizes), heldOut: noFrequencies(sizes)};
  const order = documentOrder(documents.length, {seed: 1, epoch: 0});
  const isHeldOut = new Set(order.filter((_, place) => place % heldOutEvery === 0));
  for (const [index, document] of documents.entries()) {
    signal?.throwIfAborted();
    const excerpts = await excerptTokens(document, {tokenizer, length, most: mostExcerpts});
    // One excerpt has nothing in its document to be near to.
    if (excerpts.length >= 2) {
      const read = spread(excerpts, readExcerpts);
      const transformer = await cache.get(document.digest, async () => {
        const summaries = await summariseTokens(model, read, {batch: read.length, signal});
        return summaries.map(summary => transformerFeatures(summary, model.config.modelWidth));
      });
      const frequency = isHeldOut.has(index) ? frequencies.heldOut : frequencies.training;
      const lexical = excerpts.map(tokens => {
        const counted = countsOf(tokens, sizes);
        frequency.excerpts++;
        for (const [feature, count] of counted.counts.entries()) if (count > 0) frequency.counts[feature]!++;
        return lexicalFeatures(counted.tokenCounts);
      });
      if (isHeldOut.has(index)) {
        heldOut.push({lexical, transformer, counts: [countsOf(read[0]!, sizes), countsOf(read.at(-1)!, sizes)]});
      } else {
        training.push({lexical, transformer});
      }
    }
    onProgress(index + 1);
  }
  return {training, heldOut, frequencies};
}

function noFrequencies({vocabularySize, pairBuckets}: LexicalSizes): ExcerptFrequencies {
  return {excerpts: 0, counts: new Uint32Array(vocabularySize + pairBuckets)};
}

function countsOf(tokens: Int32Array, sizes: LexicalSizes): LexicalCounts {
  const counts = new LexicalCounts(sizes);
  counts.add(tokens);
  return counts;
}

/** At most so many of two items or more, the first and the last among them, evenly spread. */
function spread<T>(items: readonly T[], most: number): T[] {
  const count = Math.min(items.length, most);
  return Array.from({length: count}, (_, i) => items[Math.floor((i * (items.length - 1)) / (count - 1))]!);
}
