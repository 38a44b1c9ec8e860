import type {ReadableStream} from 'node:stream/web';
import type {CheckpointSchedule} from './checkpoint-schedule.ts';
import type {Element} from './element.ts';
import type {Progress} from './progress.ts';
import type {StreamRecord} from './stream-record.ts';

export type SourceOptions = {
  /** Ends reading; the stream then errors with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Where to go on; without it, everything is read from its start. */
  readonly progress?: Progress;
  /** When to emit barriers. */
  readonly checkpoints?: CheckpointSchedule;
};

/** Where records come from. */
export interface Source<T> extends AsyncDisposable {
  /**
   * Opens a fresh stream; a stream is single-use, `open` is not.
   *
   * Records of one key come in order. A {@link Checkpoint} follows the records it covers, as `checkpoints` says, and one
   * more comes at the end. Nothing is read while the stream is not pulled.
   */
  open(options?: SourceOptions): ReadableStream<Element<StreamRecord<T>>>;
}
