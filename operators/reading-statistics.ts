/** What a {@link RememberStream} has done so far. */
export type ReadingStatistics = {
  /** Documents whose end was reached. */
  documents: number;
  segments: number;
  tokens: number;
  /** UTF-8 bytes of those tokens. */
  bytes: number;
  /** Ill-formed UTF-8 sequences read as U+FFFD. */
  replaced: number;
  /** Records that were part of their document's memory already. */
  skippedRecords: number;
  /** Documents that ended without a token, for which nothing was emitted. */
  emptyDocuments: number;
  /** Documents that were forgotten because no record of theirs had come for too long. */
  expiredDocuments: number;
};
