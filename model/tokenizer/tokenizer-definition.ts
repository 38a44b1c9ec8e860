/** A part of a `tokenizer.json`: its type and whatever options it has. */
export type TokenizerPart = {readonly type?: unknown; readonly [option: string]: unknown};

/** An entry of `added_tokens` in a `tokenizer.json`. */
export type AddedTokenDefinition = {
  readonly id: number;
  readonly content: string;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly special?: boolean;
  readonly normalized?: boolean;
};

/** What of a `tokenizer.json` decides tokens, after its shape has been checked. */
export type TokenizerDefinition = {
  /** Sequences are spread out. */
  readonly normalizers: readonly TokenizerPart[];
  /** Sequences are spread out. */
  readonly preTokenizers: readonly TokenizerPart[];
  readonly model: TokenizerPart & {readonly type: 'BPE' | 'WordPiece' | 'Unigram'};
  readonly addedTokens: readonly AddedTokenDefinition[];
  /** Every piece of the model's vocabulary. */
  readonly vocabulary: ReadonlyMap<string, number>;
};
