/** A piece of a document as it arrives. */
export type DocumentChunk = {
  /** UTF-8; may start or end inside a character, and may be empty. */
  readonly content: Uint8Array;
  /** Whether the source knows of nothing more for this document. More may still arrive later. */
  readonly last: boolean;
  /** Whether all that is known of the document is to be forgotten behind this chunk, which is then the last. */
  readonly forget?: true;
};
