import type {SummaryParts} from '../model/summary/summary-head.ts';

/** What the pipeline says about a document, or about one segment of it. */
export type Embedding = {
  readonly id: string;
  /**
   * Of length 1. Of a document, by the model's summary head if it has one; else, and of a segment, the mean of final hidden vectors. [d] or
   * as many as the head's parts have.
   */
  readonly vector: Float32Array;
  /** How many numbers of `vector` come from each part of the summary head, one part behind the other; absent if it is a mean of hidden vectors. */
  readonly parts?: SummaryParts;
  /** Tokens of the document read so far. */
  readonly tokens: number;
  /** Segments of the document read so far, an unfilled last one included. */
  readonly segments: number;
  /** Surprisal over UTF-8 bytes: of the whole document if `final`, else of the segment. */
  readonly bitsPerByte: number;
  /** Whether `vector` stands for the whole document as far as it is known, else for its latest segment. */
  readonly final: boolean;
  readonly model: {readonly name: string; readonly fingerprint: string};
};
