/** What the pipeline says about a document, or about one segment of it. */
export type Embedding = {
  readonly id: string;
  /** L2-normalised. [d] */
  readonly vector: Float32Array;
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
