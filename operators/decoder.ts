import type {DeadLetter, DocumentChunk, Line, StreamRecord} from '../pipeline/index.ts';

/** Tells the documents in a source's records apart. */
export interface Decoder {
  /**
   * Whether a document's records follow one another. If so, {@link DecodeStream} says which record is a document's last;
   * if not, the decoder does.
   */
  readonly contiguous: boolean;

  /**
   * Decodes one record of a source into any number of records, each of another document, all at the position of the source's record: a
   * second one of a document at one position is taken for the first, delivered again.
   *
   * What cannot be decoded comes back as a dead letter whose `error` is a {@link DecodeError}.
   */
  decode(record: StreamRecord<Line>): readonly (StreamRecord<DocumentChunk> | DeadLetter)[];
}
