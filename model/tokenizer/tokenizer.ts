/** Tokens of a stretch of text. */
export type Tokens = {
  /** Token ids. */
  readonly ids: Int32Array;
  /** UTF-8 bytes of input that each token stands for; they sum to the bytes consumed. */
  readonly byteLengths: Int32Array;
};

/** What one call of {@link Tokenizer.push} gave. */
export type TokenizedChunk = Tokens & {
  /** Bytes held back because what follows may change their tokens; the next call takes it. */
  readonly carry: Uint8Array;
  /** Ill-formed UTF-8 sequences that were read as U+FFFD. */
  readonly replaced: number;
};

/**
 * Turns UTF-8 into tokens, a chunk at a time. Holds nothing between calls: what has to be remembered is the carry.
 *
 * Pushing a text in any pieces, also cut inside a character, gives the same tokens as pushing it whole.
 */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** Digest of all that decides the tokens. */
  readonly fingerprint: string;

  /**
   * @param carry The carry of the previous call, empty at the start of a document.
   * @param content The next bytes.
   * @param last Whether nothing follows, so that nothing is held back.
   */
  push(carry: Uint8Array, content: Uint8Array, last: boolean): TokenizedChunk;
  /** The text of tokens, for people to read; bytes that are not UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>): string;
}
