import {setImmediate} from 'node:timers/promises';
import {ModelError} from '../../errors.ts';
import type {SparseFeatures} from '../../model/lexical/lexical-features.ts';
import {LexicalHead} from '../../model/lexical/lexical-head.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {Corpus} from '../documents/corpus.ts';
import {excerptFeatures} from './excerpt-features.ts';
import {fitDiscriminant} from './fit-discriminant.ts';
import {SparseRows} from './sparse-rows.ts';

/** How far training is: documents were read, then passes over their excerpts made. */
export type LexicalHeadProgress = {
  readonly phase: 'reading' | 'fitting';
  readonly done: number;
  readonly total: number;
};

export type TrainLexicalHeadOptions = {
  readonly tokenizer: Tokenizer;
  /** Most numbers of a vector; there are no more than documents. @default 512 */
  readonly dimension?: number;
  /** Buckets that pairs of tokens share; a power of two, or 0 to count no pairs. @default 0 */
  readonly pairBuckets?: number;
  /** Tokens of an excerpt. @default 8000 */
  readonly excerptTokens?: number;
  /** Excerpts of one document that are used at most, from its start. @default 64 */
  readonly mostExcerpts?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: LexicalHeadProgress) => void;
};

/** Chosen on authors held out of the training books; docs/retrieval.md has the figures. */
const iterations = 4;
const ridge = 1;

/**
 * Trains the lexical path of a document's vector without labels: what excerpts of one document have in common and documents have not.
 *
 * @throws {RangeError} If an option is none.
 * @throws {ModelError} If fewer than three documents are long enough for two excerpts.
 */
export async function trainLexicalHead(
  corpus: Corpus,
  {
    tokenizer,
    dimension = 512,
    pairBuckets = 0,
    excerptTokens = 8000,
    mostExcerpts = 64,
    signal,
    onProgress = () => {},
  }: TrainLexicalHeadOptions,
): Promise<LexicalHead> {
  for (const [name, value] of Object.entries({dimension, excerptTokens, mostExcerpts})) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot train a lexical head as ${name} must be a positive whole number: current value is ${value}`,
      );
    }
  }
  const {vocabularySize} = tokenizer;
  const rows: SparseFeatures[] = [];
  const documents: number[] = [];
  let used = 0;
  for (const [index, document] of corpus.documents.entries()) {
    const excerpts: SparseFeatures[] = [];
    for await (const excerpt of excerptFeatures(document, {tokenizer, vocabularySize, pairBuckets, excerptTokens})) {
      signal?.throwIfAborted();
      if (excerpts.push(excerpt) === mostExcerpts) break;
    }
    onProgress({phase: 'reading', done: index + 1, total: corpus.documents.length});
    // One excerpt has nothing in its document to be near to.
    if (excerpts.length < 2) continue;
    for (const excerpt of excerpts) {
      rows.push(excerpt);
      documents.push(used);
    }
    used++;
  }
  if (used < 3) {
    throw new ModelError(
      `Cannot train a lexical head as three documents or more must have two excerpts of ${excerptTokens} tokens: current corpus has ${used}; use longer ones, or shorter excerpts`,
    );
  }
  const excerpts = new SparseRows(rows, {columns: vocabularySize + pairBuckets});
  const fit = fitDiscriminant(excerpts, {documents, dimension, iterations, ridge});
  for (let pass = 1; ; pass++) {
    const {done, value} = fit.next();
    if (done) return new LexicalHead({vocabularySize, pairBuckets, ...value});
    onProgress({phase: 'fitting', done: pass, total: iterations + 2});
    await setImmediate();
    signal?.throwIfAborted();
  }
}
