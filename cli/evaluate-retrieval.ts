import {readFile, writeFile} from 'node:fs/promises';
import {DecodeError, ModelError, SinkError, SourceError} from '../errors.ts';
import {LexicalCounts} from '../model/lexical/lexical-counts.ts';
import {readLexicalHead} from '../model/lexical/read-lexical-head.ts';
import {readModelDirectory} from '../model/model-directory/read-model-directory.ts';
import {HuggingFaceTokenizer} from '../model/tokenizer/hugging-face-tokenizer.ts';
import type {Tokenizer} from '../model/tokenizer/tokenizer.ts';
import {cosineSimilarities} from '../training/retrieval/cosine-similarities.ts';
import {type ExcerptPairs, parseExcerptPairs} from '../training/retrieval/excerpt-pairs.ts';
import {meanTokenEmbedding} from '../training/retrieval/mean-token-embedding.ts';
import {type RetrievalScores, retrievalScores} from '../training/retrieval/retrieval-scores.ts';
import {tfIdfSimilarities} from '../training/retrieval/tf-idf-similarities.ts';

export type EvaluateRetrievalOptions = {
  /** JSON Lines of `{"id", "text"}`; ids `X#a` and `X#b` belong together. */
  readonly retrieval: string;
  /** Model folder, for the mean of its token embeddings. */
  readonly model?: string | undefined;
  /** Lexical head, with the tokenizer it was trained with. */
  readonly lexical?: {readonly head: string; readonly tokenizer: string} | undefined;
  /** Vectors computed elsewhere: a name, and JSON Lines of `{"id", "embedding"}`, as `palimpsest embed` writes them. */
  readonly vectors?: Readonly<Record<string, string>>;
  /** Where figures go as JSON. */
  readonly out?: string | undefined;
};

/** Scores of one way of comparing excerpts. */
export type RetrievalRow = RetrievalScores & {readonly name: string};

/** Measures by how much excerpts of one document are nearer than others, next to TF-IDF. */
export async function evaluateRetrieval(options: EvaluateRetrievalOptions): Promise<readonly RetrievalRow[]> {
  const pairs = parseExcerptPairs(await readText(options.retrieval));
  const {texts, partners} = pairs;
  const rows: RetrievalRow[] = [];
  const add = (name: string, similarities: Float64Array): void => {
    rows.push({name, ...retrievalScores(similarities, partners)});
  };
  add('TF-IDF, words', tfIdfSimilarities(texts, {terms: 'words'}));
  add('TF-IDF, 3 to 5 characters', tfIdfSimilarities(texts, {terms: 'characters'}));
  if (options.model !== undefined) {
    const {tokenizer, weights, config} = await readModelDirectory(options.model);
    const table = {embedding: weights.get('embedding.weight')!.data, width: config.modelWidth};
    add(
      'mean of token embeddings',
      cosineSimilarities(texts.map(text => meanTokenEmbedding(tokensOf(text, tokenizer), table))),
    );
  }
  if (options.lexical !== undefined) {
    const head = await readLexicalHead(options.lexical.head);
    const tokenizer = await HuggingFaceTokenizer.open(options.lexical.tokenizer);
    if (tokenizer.vocabularySize !== head.weights.vocabularySize) {
      throw new ModelError(
        `Cannot use "${options.lexical.head}" as its tokenizer must have ${head.weights.vocabularySize} tokens: current value is ${tokenizer.vocabularySize}; take the one it was trained with`,
      );
    }
    const vectors = texts.map(text => {
      const counts = new LexicalCounts(head.weights);
      counts.add(tokensOf(text, tokenizer));
      return head.embed(counts);
    });
    add(`lexical path, ${head.dimension} numbers`, cosineSimilarities(vectors));
  }
  for (const [name, path] of Object.entries(options.vectors ?? {})) {
    add(name, cosineSimilarities(parseVectors(await readText(path), {path, pairs})));
  }
  if (options.out !== undefined) {
    try {
      await writeFile(options.out, `${JSON.stringify(rows, undefined, 2)}\n`);
    } catch (cause) {
      throw new SinkError(`Cannot write "${options.out}" as ${(cause as Error).message}`, {cause});
    }
  }
  return rows;
}

function tokensOf(text: string, tokenizer: Tokenizer): Int32Array {
  return tokenizer.push(new Uint8Array(), Buffer.from(text), true).ids;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new SourceError(`Cannot read "${path}" as ${(cause as Error).message}`, {cause});
  }
}

/** The last vector of each excerpt, in the order of the excerpts. */
function parseVectors(
  content: string,
  {path, pairs}: {readonly path: string; readonly pairs: ExcerptPairs},
): number[][] {
  const vectors = new Map<unknown, number[]>();
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const {id, embedding} = JSON.parse(line) as {id: unknown; embedding: number[]};
      if (!Array.isArray(embedding) || !embedding.every(Number.isFinite))
        throw new Error('its "embedding" must be numbers');
      vectors.set(id, embedding);
    } catch (cause) {
      throw new DecodeError(`Cannot read line ${index + 1} of "${path}": ${(cause as Error).message}`, {cause});
    }
  }
  return pairs.ids.map(id => {
    const vector = vectors.get(id);
    if (vector === undefined)
      throw new DecodeError(`Cannot use "${path}" as each excerpt needs a vector: "${id}" has none`);
    return vector;
  });
}
