/** A piece of a document as it arrives. */
export type DocumentChunk = {
  /** UTF-8; may start or end inside a character, and may be empty. */
  readonly content: Uint8Array;
  /** Whether the source knows of nothing more for this document. More may still arrive later. */
  readonly last: boolean;
};
