/** A text to train or to measure with. */
export interface TrainingDocument {
  /** Names it in messages and results. */
  readonly id: string;
  /** Its UTF-8 bytes from the start, in pieces of any size. */
  read(): AsyncIterable<Uint8Array>;
}
