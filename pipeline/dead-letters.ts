import type {Position} from './position.ts';

/** A record that could not be decoded, as it arrived. */
export type DeadLetter = {
  readonly key: string;
  readonly position: Position;
  readonly timestamp: number;
  readonly content: Uint8Array;
  /** Whether it was the last record of its document. */
  readonly last?: boolean;
  readonly error: Error;
};

/** Where records go that cannot be decoded, so that they are neither lost nor in the way. */
export interface DeadLetters extends AsyncDisposable {
  add(letter: DeadLetter): Promise<void>;
  /** Makes all letters durable; resolves as {@link Checkpoint.onFlush} wants it. */
  flush(): Promise<readonly [output: string, length: bigint] | undefined>;
}
