/** What a splitter makes of the next bytes of an input. */
export type InputRecord = {
  readonly content: Uint8Array;
  readonly last: boolean;
  readonly cut?: true;
  /** Index of its last byte, line terminator included, in the whole content. */
  readonly offset: number;
};
