import type {Model} from '../../model/model.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {Corpus} from '../documents/corpus.ts';
import {normalisedWord} from './normalised-word.ts';
import {readDocuments} from './read-documents.ts';
import {WordPieces} from './word-pieces.ts';

/** What a text took. */
export type Measured = {
  readonly bytes: number;
  readonly tokens: number;
  /** Between white space. */
  readonly words: number;
  /** Sum of −log₂ p of all tokens. */
  readonly bits: number;
  readonly bitsPerByte: number;
  /** e to the total loss in nats over the words of the original text (Rae et al. 2019, section 4). */
  readonly perplexityPerWord: number;
};

/** What tokens took that come when so many tokens of their document have been read. */
export type MeasuredDistance = {
  readonly fromToken: number;
  readonly toToken: number;
  readonly documents: number;
  readonly bytes: number;
  readonly tokens: number;
  readonly bits: number;
  readonly bitsPerByte: number;
};

/** What words of a class of frequency took. */
export type MeasuredFrequency = {
  /** Occurrences in the training text: at least, and less than. */
  readonly least: number;
  readonly below: number | null;
  readonly words: number;
  readonly bits: number;
  readonly perplexityPerWord: number;
};

/** What documents took: in all, one by one, by tokens read before, and by frequency of words. */
export type Evaluation = {
  readonly total: Measured;
  readonly documents: readonly ({
    readonly id: string;
    /** By tokens of this document read before. */
    readonly bySeen: readonly MeasuredDistance[];
  } & Measured)[];
  /** By tokens of their document read before, of all documents. */
  readonly bySeen: readonly MeasuredDistance[];
  /** Absent if no frequencies were given. */
  readonly byFrequency?: readonly MeasuredFrequency[];
};

export type EvaluateOptions = {
  readonly tokenizer: Tokenizer;
  /** Documents read side by side. */
  readonly batch: number;
  /** Tokens that are read of a document at most. @default all */
  readonly mostTokens?: number | undefined;
  /** How often each word, as {@link normalisedWord} gives it, occurs in the training text. */
  readonly frequencies?: ReadonlyMap<string, number> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of what has been read so far. */
  readonly onProgress?: (read: {readonly bytes: number; readonly tokens: number}) => void;
};

type Distance = {bytes: number; tokens: number; bits: number};

type Sums = {bytes: number; tokens: number; words: number; bits: number};

/** Bounds of the classes of Rae et al. 2019, table 4. */
const frequencyBounds = [0, 100, 1_000, 10_000] as const;

/** Measures how well a model predicts documents, each read from its start with its memory carried along. */
export async function evaluate(
  model: Model,
  {documents}: Corpus,
  {tokenizer, batch, mostTokens, frequencies, signal, onProgress}: EvaluateOptions,
): Promise<Evaluation> {
  const sums = documents.map((): Sums => ({bytes: 0, tokens: 0, words: 0, bits: 0}));
  const pieces = documents.map(() => new WordPieces());
  const distances = documents.map(() => new Map<number, Distance>());
  const classes = frequencyBounds.map(() => ({words: 0, bits: 0}));
  const countWords = (document: number, words: readonly {word: string; bits: number}[]) => {
    sums[document]!.words += words.length;
    if (frequencies === undefined) return;
    for (const {word, bits} of words) {
      const normalised = normalisedWord(word);
      // Punctuation alone is not counted as a word of the training documents either.
      if (normalised === '') continue;
      const times = frequencies.get(normalised) ?? 0;
      const found = classes[frequencyBounds.findLastIndex(least => times >= least)]!;
      found.words++;
      found.bits += bits;
    }
  };
  const read = {bytes: 0, tokens: 0};
  const reading = readDocuments(model, documents, {
    tokenizer,
    batch,
    signal,
    ...(mostTokens !== undefined && {mostTokens}),
  });
  for await (const stretch of reading) {
    const {document, position, ids, byteLengths, text, bits} = stretch;
    const sum = sums[document]!;
    sum.bytes += text.length;
    sum.tokens += ids.length;
    for (let index = 0; index < ids.length; index++) {
      sum.bits += bits[index]!;
      const from = distanceOf(position + index);
      let distance = distances[document]!.get(from);
      if (distance === undefined) {
        distance = {bytes: 0, tokens: 0, bits: 0};
        distances[document]!.set(from, distance);
      }
      distance.bytes += byteLengths[index]!;
      distance.tokens++;
      distance.bits += bits[index]!;
    }
    countWords(document, pieces[document]!.push(stretch));
    read.bytes += text.length;
    read.tokens += ids.length;
    onProgress?.(read);
  }
  for (const [document, piece] of pieces.entries()) countWords(document, piece.end().words);
  const total = sums.reduce((all, sum) => ({
    bytes: all.bytes + sum.bytes,
    tokens: all.tokens + sum.tokens,
    words: all.words + sum.words,
    bits: all.bits + sum.bits,
  }));
  return {
    total: measured(total),
    documents: sums.map((sum, index) => ({
      id: documents[index]!.id,
      ...measured(sum),
      bySeen: measuredDistances([distances[index]!]),
    })),
    bySeen: measuredDistances(distances),
    ...(frequencies !== undefined && {
      byFrequency: classes.map(({words, bits}, index) => ({
        least: frequencyBounds[index]!,
        below: frequencyBounds[index + 1] ?? null,
        words,
        bits,
        perplexityPerWord: perplexity(bits, words),
      })),
    }),
  };
}

/** Adds up what documents took at each distance. */
function measuredDistances(documents: readonly ReadonlyMap<number, Distance>[]): MeasuredDistance[] {
  const starts = [...new Set(documents.flatMap(distances => [...distances.keys()]))].sort((a, b) => a - b);
  return starts.map(fromToken => {
    const there = documents.flatMap(distances => distances.get(fromToken) ?? []);
    const sum = (of: keyof Distance) => there.reduce((total, distance) => total + distance[of], 0);
    const [bytes, bits] = [sum('bytes'), sum('bits')];
    return {
      fromToken,
      toToken: nextDistance(fromToken),
      documents: there.length,
      bytes,
      tokens: sum('tokens'),
      bits,
      bitsPerByte: bits / bytes,
    };
  });
}

function measured(sums: Sums): Measured {
  const {bits, bytes, words} = sums;
  return {...sums, bitsPerByte: bits / bytes, perplexityPerWord: perplexity(bits, words)};
}

function perplexity(bits: number, words: number): number {
  return 2 ** (bits / words);
}

/** Shortest stretch of tokens seen that is told apart. */
const firstDistance = 1000;

/** The start of the stretch that a position lies in: 0, 1000, 2000, 5000, 10000, … */
function distanceOf(position: number): number {
  if (position < firstDistance) return 0;
  const power = 10 ** Math.floor(Math.log10(position) + 1e-12);
  return power * (position >= 5 * power ? 5 : position >= 2 * power ? 2 : 1);
}

function nextDistance(from: number): number {
  if (from === 0) return firstDistance;
  const power = 10 ** Math.floor(Math.log10(from) + 1e-12);
  return power * (from === power ? 2 : from === 2 * power ? 5 : 10);
}
