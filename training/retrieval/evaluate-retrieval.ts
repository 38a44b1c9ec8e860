import {LexicalCounts} from '../../model/lexical/lexical-counts.ts';
import {pairBucket} from '../../model/lexical/pair-bucket.ts';
import type {Model} from '../../model/model.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import {cosineSimilarities} from './cosine-similarities.ts';
import type {ExcerptPairs} from './excerpt-pairs.ts';
import {meanTokenEmbedding} from './mean-token-embedding.ts';
import {type RetrievalScores, retrievalScores} from './retrieval-scores.ts';
import {summariseTokens} from './summarise-tokens.ts';
import {termSimilarities} from './term-similarities.ts';
import {tfIdfSimilarities} from './tf-idf-similarities.ts';

export type EvaluateRetrievalOptions = {
  readonly tokenizer: Tokenizer;
  /** The model's token embeddings. [V, d] */
  readonly embedding: Float32Array;
  /** Vectors of the excerpts made elsewhere, by a name. [n][any] */
  readonly vectors?: ReadonlyMap<string, readonly number[][]>;
  /** Excerpts read side by side. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of tokens read. */
  readonly onProgress?: (done: number, total: number) => void;
};

/** How well one way of comparing finds the other excerpt. */
export type EvaluatedRetrieval = RetrievalScores & {
  readonly name: string;
  /** Of a vector, where there is one. */
  readonly numbers?: number;
};

/** Buckets of token pairs for TF-IDF, more than a document's own counts have. */
const pairBuckets = 2 ** 17;

/**
 * Measures by how much excerpts of one document are nearer than others: by the model's document vectors and by each of their parts, next to TF-IDF
 * fitted on the excerpts themselves, and to vectors made elsewhere.
 */
export async function evaluateRetrieval(
  model: Model,
  {texts, partners}: ExcerptPairs,
  {tokenizer, embedding, vectors = new Map(), batch, signal, onProgress = () => {}}: EvaluateRetrievalOptions,
): Promise<readonly EvaluatedRetrieval[]> {
  const rows: EvaluatedRetrieval[] = [];
  const add = (name: string, similarities: Float64Array) => {
    rows.push({name, ...retrievalScores(similarities, partners)});
  };
  const addVectors = (name: string, given: readonly ArrayLike<number>[]) => {
    rows.push({name, numbers: given[0]!.length, ...retrievalScores(cosineSimilarities(given), partners)});
  };
  const tokens = texts.map(text => tokenizer.push(new Uint8Array(), Buffer.from(text), true).ids);
  add('TF-IDF, words', tfIdfSimilarities(texts, {terms: 'words'}));
  add('TF-IDF, 3 to 5 characters', tfIdfSimilarities(texts, {terms: 'characters'}));
  add('TF-IDF, hashed pairs of tokens', termSimilarities(tokens.map(bucketsOf)));
  const width = model.config.modelWidth;
  addVectors(
    'mean of token embeddings',
    tokens.map(ids => meanTokenEmbedding(ids, {embedding, width})),
  );
  for (const [name, given] of vectors) addVectors(name, given);

  const total = tokens.reduce((sum, {length}) => sum + length, 0);
  const summaries = await summariseTokens(model, tokens, {batch, signal, onProgress: done => onProgress(done, total)});
  addVectors(
    'mean of final hidden vectors',
    summaries.map(({hiddenSum}) => hiddenSum),
  );
  const {summary: head} = model;
  if (head === undefined) return rows;
  const documents = summaries.map((summary, i) => {
    const counts = new LexicalCounts(head.sizes);
    counts.add(tokens[i]!);
    return {...summary, counts};
  });
  const {lexical, sketch} = head.parts;
  const joined = documents.map(document => head.embed(document));
  // Parts by themselves, as one that has no share is all zeros in what is joined.
  const ways: Readonly<Record<string, readonly Float32Array[]>> = {
    lexical: documents.map(({counts}) => head.lexical.embed(counts)),
    sketch: documents.map(({counts}) => head.sketch.embed(counts)),
    'lexical and sketch': joined.map(vector => vector.subarray(0, lexical + sketch)),
    transformer: documents.map(document => head.transformer.embed(document)),
    all: joined,
  };
  for (const [name, given] of Object.entries(ways)) addVectors(`summary head, ${name}`, given);
  return rows;
}

function bucketsOf(tokens: Int32Array): number[] {
  return Array.from(tokens.subarray(1), (token, i) => pairBucket([tokens[i]!, token], pairBuckets));
}
