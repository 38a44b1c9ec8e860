import {WritableStream} from 'node:stream/web';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Progress} from '../../pipeline/progress.ts';
import type {Sink, SinkOptions} from '../../pipeline/sink.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';

export type CollectSinkOptions = {
  /** Makes one write fail: the `write`th record of all runs, counted from 1, with `error`. */
  readonly fail?: {readonly write: number; readonly error: unknown};
};

/** A sink that keeps what it is given; its output is named `collect` and counts records instead of bytes. */
export class CollectSink<T> implements Sink<T> {
  /** Records that arrived, those behind the last barrier included. */
  records: StreamRecord<T>[] = [];
  /** Elements that reached the sink, stalled ones and barriers included. */
  arrived = 0;
  /** What each barrier committed. */
  readonly commits: Progress[] = [];
  /** Whether the latest stream was closed, so that its end arrived. */
  closed = false;
  /** Why the latest stream was aborted. */
  abortReason: unknown;
  readonly #fail: CollectSinkOptions['fail'];
  #writes = 0;
  #stalled: Promise<void> | undefined;
  #release = (): void => {};

  constructor({fail}: CollectSinkOptions = {}) {
    this.#fail = fail;
  }

  get values(): T[] {
    return this.records.map(record => record.value);
  }

  /** Makes every write hang until {@link release}. */
  stall(): void {
    this.#stalled ??= new Promise(resolve => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#stalled = undefined;
    this.#release();
  }

  open({progress}: SinkOptions = {}): WritableStream<Element<StreamRecord<T>>> {
    this.closed = false;
    this.records.length = Math.min(this.records.length, Number(progress?.outputs.get('collect') ?? 0n));
    return new WritableStream<Element<StreamRecord<T>>>({
      write: async element => {
        this.arrived++;
        await this.#stalled;
        if (!(element instanceof Checkpoint)) return this.#write(element);
        element.onFlush(async () => ['collect', BigInt(this.records.length)]);
        element.onCommit(async committed => {
          this.commits.push(committed);
        });
        await element.commit();
      },
      close: () => {
        this.closed = true;
      },
      abort: reason => {
        this.abortReason = reason;
      },
    });
  }

  #write(record: StreamRecord<T>): void {
    this.#writes++;
    if (this.#writes === this.#fail?.write) throw this.#fail.error;
    this.records.push(record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}
