import type {RestoreProgress} from './restore-store.ts';

/** What a worker tells about itself, for logs and metrics. */
export type WorkerEvent =
  /** The group has dealt out partitions; these are all that this worker has. */
  | {readonly type: 'assigned'; readonly partitions: readonly number[]}
  | ({readonly type: 'restoring'; readonly partition: number; readonly ms: number} & RestoreProgress)
  | ({readonly type: 'restored'; readonly partition: number; readonly ms: number} & RestoreProgress)
  /** Reading goes on; every earlier owner of the partition is shut out. */
  | {readonly type: 'started'; readonly partition: number; readonly nextOffset: bigint}
  | {
      readonly type: 'committed';
      readonly partition: number;
      readonly nextOffset: bigint;
      /** Behind the last record of the input that can be read. */
      readonly endOffset: bigint;
      /** Event time of the last record read, in milliseconds since 1970; `undefined` if none was read since work on the partition began. */
      readonly timestamp: number | undefined;
      /** Results and dead letters that became visible with it, or for results of `at-least-once`, were written since the last one. */
      readonly results: number;
      readonly deadLetters: number;
      /** From the barrier's arrival at the sink until memories and progress were stored. */
      readonly ms: number;
    }
  /** Another worker has taken the partition over; what was not committed is left to it. */
  | {readonly type: 'fenced'; readonly partition: number; readonly error: Error}
  /** The local store was damaged and is restored from the changelog. */
  | {readonly type: 'discarded'; readonly partition: number; readonly error: Error}
  /** A failure that may pass; the partition starts anew after `retryMs`. */
  | {readonly type: 'retrying'; readonly partition: number; readonly error: Error; readonly retryMs: number}
  /** The partition went to another worker, or the worker stops. */
  | {readonly type: 'stopped'; readonly partition: number};
