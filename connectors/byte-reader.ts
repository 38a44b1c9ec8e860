/** Bytes of one input, one piece after the other. */
export interface ByteReader {
  /** The next piece, never empty, or `undefined` at the end. Valid until the next call. */
  read(): Promise<Uint8Array | undefined>;
  /** Goes on reading at `position`; missing if that is impossible. */
  seek?(position: number): void;
  /** Ends a read in flight and releases what is open. Closing twice is fine. */
  close(): Promise<void>;
}
