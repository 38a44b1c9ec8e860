import type {DeadLetter, DocumentChunk, StreamRecord} from '../pipeline/index.ts';

/** A source's record that holds lines; `cut` says that its line was longer than the source reads, so that the rest is missing. */
export type LineChunk = DocumentChunk & {readonly cut?: true};

/** Tells the documents in a source's records apart. */
export interface Decoder {
  /**
   * Whether a document's records follow one another. If so, {@link DecodeStream} says which record is a document's last;
   * if not, the decoder does.
   */
  readonly contiguous: boolean;

  /**
   * Decodes one record of a source into any number of records of documents, all at the position of the source's record.
   *
   * What cannot be decoded comes back as a dead letter whose `error` is a {@link DecodeError}.
   */
  decode(record: StreamRecord<LineChunk>): readonly (StreamRecord<DocumentChunk> | DeadLetter)[];
}
