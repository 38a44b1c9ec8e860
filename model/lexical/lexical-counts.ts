import {pairBucket} from './pair-bucket.ts';

/** Lengths of the counts that are kept of a document. */
export type LexicalSizes = {
  /** V: tokens of the vocabulary. */
  readonly vocabularySize: number;
  /** B: buckets that pairs of neighbouring tokens share; a power of two, or 0 to count no pairs. */
  readonly pairBuckets: number;
};

/** What {@link LexicalCounts.restore} goes on from. */
export type KeptLexicalCounts = Pick<LexicalCounts, 'counts' | 'lastToken'>;

const mostCounted = 2 ** 32 - 1;

/**
 * How often each token, and each bucket of token pairs, occurred in a document: what the lexical path remembers of it, in bounded memory. It
 * depends on the tokens alone, not on how they came in pieces.
 */
export class LexicalCounts {
  /** Tokens, then buckets. [V + B] */
  readonly counts: Uint32Array;
  /** The part of `counts` that is of tokens. [V] */
  readonly tokenCounts: Uint32Array;
  /** The token that the next one makes a pair with; −1 at the start of a document. */
  lastToken = -1;
  readonly #sizes: LexicalSizes;

  /** @throws {RangeError} If a size is none. */
  constructor(sizes: LexicalSizes) {
    const {vocabularySize, pairBuckets} = sizes;
    if (!Number.isInteger(vocabularySize) || vocabularySize < 1) {
      throw new RangeError(
        `Cannot count tokens as vocabularySize must be a positive whole number: current value is ${vocabularySize}`,
      );
    }
    if (pairBuckets !== 0 && !(Number.isInteger(Math.log2(pairBuckets)) && pairBuckets <= 2 ** 24)) {
      throw new RangeError(
        `Cannot count pairs as pairBuckets must be 0 or a power of two up to 2^24: current value is ${pairBuckets}`,
      );
    }
    this.#sizes = sizes;
    this.counts = new Uint32Array(vocabularySize + pairBuckets);
    this.tokenCounts = this.counts.subarray(0, vocabularySize);
  }

  /**
   * Counts the next tokens of the document.
   *
   * @throws {RangeError} If one is not of the vocabulary.
   */
  add(tokens: Int32Array): void {
    const {vocabularySize, pairBuckets} = this.#sizes;
    for (const token of tokens) {
      if (!(token >= 0 && token < vocabularySize)) {
        throw new RangeError(`Cannot count a token as it must be below ${vocabularySize}: current value is ${token}`);
      }
      this.#count(token);
      if (pairBuckets > 0 && this.lastToken >= 0) {
        this.#count(vocabularySize + pairBucket([this.lastToken, token], pairBuckets));
      }
      this.lastToken = token;
    }
  }

  copy(): LexicalCounts {
    return LexicalCounts.restore(this, this.#sizes);
  }

  /**
   * What was counted before, to count on.
   *
   * @throws {RangeError} If counts of other sizes were kept.
   */
  static restore({counts, lastToken}: KeptLexicalCounts, sizes: LexicalSizes): LexicalCounts {
    const restored = new LexicalCounts(sizes);
    if (counts.length !== restored.counts.length) {
      throw new RangeError(
        `Cannot count on as ${restored.counts.length} counts must have been kept: current value is ${counts.length}`,
      );
    }
    restored.counts.set(counts);
    restored.lastToken = lastToken;
    return restored;
  }

  #count(feature: number): void {
    // An endless document may fill a counter; then it stands still.
    if (this.counts[feature]! < mostCounted) this.counts[feature]!++;
  }
}
