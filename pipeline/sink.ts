import type {WritableStream} from 'node:stream/web';
import type {Element} from './element.ts';
import type {Progress} from './progress.ts';
import type {StreamRecord} from './stream-record.ts';

export type SinkOptions = {
  readonly signal?: AbortSignal;
  /** Where an interrupted run had got to; an output that can be cut back is cut back to it. */
  readonly progress?: Progress;
};

/** Where results go. */
export interface Sink<T> extends AsyncDisposable {
  /**
   * Opens a fresh stream.
   *
   * On a {@link Checkpoint}, the stream registers its own flush and awaits `checkpoint.commit()` before it takes the next
   * element. Closing the stream makes everything durable that was written.
   */
  open(options?: SinkOptions): WritableStream<Element<StreamRecord<T>>>;
}
