import {setImmediate} from 'node:timers/promises';
import {ModelError} from '../../errors.ts';
import type {Corpus} from '../documents/corpus.ts';
import {readText} from '../documents/read-text.ts';
import {byteAlphabet} from './byte-alphabet.ts';
import {formatTokenizer} from './format-tokenizer.ts';
import {learnMerges, type Merge} from './learn-merges.ts';
import {PieceCounter} from './piece-counter.ts';

/** How far training a tokenizer is: bytes of text were counted, then tokens were found. */
export type TokenizerProgress = {readonly phase: 'counting' | 'merging'; readonly done: number; readonly total: number};

export type TrainTokenizerOptions = {
  /** Tokens, those of the 256 bytes included; 257 to 2^24. */
  readonly vocabularySize: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: TokenizerProgress) => void;
};

/** Milliseconds of merging between two looks at the signal. */
const sliceMilliseconds = 50;

/**
 * Trains a byte-level BPE tokenizer, the kind of GPT-2: any text becomes tokens, none of them unknown. The same corpus in the same order
 * gives the same tokenizer, the one that the trainer of Hugging Face's library gives.
 *
 * @returns Content of a `tokenizer.json`.
 * @throws {RangeError} If the vocabulary's size is none.
 * @throws {ModelError} If the corpus has too few pairs that occur twice.
 */
export async function trainTokenizer(
  corpus: Corpus,
  {vocabularySize, signal, onProgress = () => {}}: TrainTokenizerOptions,
): Promise<object> {
  if (!Number.isInteger(vocabularySize) || vocabularySize <= byteAlphabet.length || vocabularySize > 2 ** 24) {
    throw new RangeError(
      `Cannot train a tokenizer as vocabularySize must be a whole number from 257 to 2^24: current value is ${vocabularySize}`,
    );
  }
  const counter = new PieceCounter();
  let done = 0;
  for (const document of corpus.documents) {
    for await (const piece of readText(document)) {
      signal?.throwIfAborted();
      counter.push(piece);
      done += piece.length;
      onProgress({phase: 'counting', done, total: corpus.bytes});
    }
    counter.endText();
  }

  const merges: Merge[] = [];
  const tokens = new Set(byteAlphabet);
  let sliceEnd = performance.now() + sliceMilliseconds;
  for (const merge of learnMerges(counter, {mostTokens: vocabularySize})) {
    merges.push(merge);
    tokens.add(merge.left + merge.right);
    if (performance.now() < sliceEnd) continue;
    onProgress({phase: 'merging', done: tokens.size, total: vocabularySize});
    await setImmediate();
    signal?.throwIfAborted();
    sliceEnd = performance.now() + sliceMilliseconds;
  }
  if (tokens.size < vocabularySize) {
    throw new ModelError(
      `Cannot train a tokenizer of ${vocabularySize} tokens as each must occur twice in the text: current text gives ${tokens.size}; use more text, or a smaller vocabulary`,
    );
  }
  return formatTokenizer(merges);
}
