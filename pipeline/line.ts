import type {DocumentChunk} from './document-chunk.ts';

/** One line of text, without its line terminator. */
export type Line = DocumentChunk & {
  /** Whether the line was longer than allowed and `content` holds only its beginning. */
  readonly cut?: true;
};
