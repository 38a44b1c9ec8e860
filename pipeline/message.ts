/** A result as a log of messages stores it. */
export type Message = {
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
};
