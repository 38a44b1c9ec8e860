import {ReadableStream} from 'node:stream/web';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {PartitionProgress, Progress} from '../../pipeline/progress.ts';
import type {Source, SourceOptions} from '../../pipeline/source.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';

/** In a {@link SequenceSource}: a barrier. */
export const CHECKPOINT = {sentinel: 'checkpoint'} as const;

/** In a {@link SequenceSource}: nothing comes until `resume()` is called. */
export const PAUSE = {sentinel: 'pause'} as const;

type Failure = {readonly sentinel: 'fail'; readonly error: unknown};

/** In a {@link SequenceSource}: the stream fails here, the first time only, so that a resumed run gets past it. */
export function FAIL(error: unknown): Failure {
  return {sentinel: 'fail', error};
}

/** What a {@link SequenceSource} replays: records, checkpoints, pauses and failures. */
export type SequenceItem<T> = StreamRecord<T> | typeof CHECKPOINT | typeof PAUSE | Failure;

/** A source that replays a list of records and sentinels. */
export class SequenceSource<T> implements Source<T> {
  /** Records given out so far, over all runs. */
  emitted = 0;
  /** Why the latest stream was cancelled or aborted. */
  cancelReason: unknown;
  readonly #items: readonly SequenceItem<T>[];
  readonly #failed = new Set<Failure>();
  #resume = (): void => {};

  constructor(items: readonly SequenceItem<T>[]) {
    this.#items = items;
  }

  /** Lets the stream go on that waits at {@link PAUSE}. */
  resume(): void {
    this.#resume();
  }

  /** Skips the records that `progress` covers; barriers stand where {@link CHECKPOINT} says, whatever the schedule. */
  open({signal, progress}: SourceOptions = {}): ReadableStream<Element<StreamRecord<T>>> {
    const elements = this.#elements(progress);
    return new ReadableStream<Element<StreamRecord<T>>>(
      {
        start: controller => {
          const abort = (): void => {
            this.cancelReason = signal?.reason;
            controller.error(signal?.reason);
            this.#resume();
          };
          if (signal?.aborted) abort();
          else signal?.addEventListener('abort', abort, {once: true});
        },
        pull: async controller => {
          const {value, done} = await elements.next();
          if (signal?.aborted) return;
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: reason => {
          this.cancelReason = reason;
          this.#resume();
        },
      },
      {highWaterMark: 0},
    );
  }

  async *#elements(progress: Progress | undefined): AsyncGenerator<Element<StreamRecord<T>>, undefined> {
    const moved = new Map<string, PartitionProgress>();
    const all = new Map<string, PartitionProgress>();
    for (const item of this.#items) {
      if (!('sentinel' in item)) {
        const {partition, offset} = item.position;
        if (offset < (progress?.partitions.get(partition)?.nextOffset ?? 0n)) continue;
        moved.set(partition, {nextOffset: offset + 1n, ended: false});
        all.set(partition, {nextOffset: offset + 1n, ended: true});
        this.emitted++;
        yield item;
      } else if (item.sentinel === 'checkpoint') {
        if (moved.size > 0) yield new Checkpoint(new Map(moved));
        moved.clear();
      } else if (item.sentinel === 'pause') {
        await new Promise<void>(resolve => {
          this.#resume = resolve;
        });
      } else if (!this.#failed.has(item)) {
        this.#failed.add(item);
        throw item.error;
      }
    }
    yield new Checkpoint(all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#resume();
  }
}
