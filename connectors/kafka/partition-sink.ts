import {WritableStream} from 'node:stream/web';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Message} from '../../pipeline/message.ts';
import type {Sink} from '../../pipeline/sink.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {deadLetterMessage} from './dead-letter-message.ts';
import type {KafkaDeadLetters} from './kafka-dead-letters.ts';
import {partitionOf} from './partition-of.ts';
import type {PartitionWriter} from './partition-writer.ts';
import type {ReplicatedStore} from './replicated-store.ts';

export type OutputTopic = {readonly topic: string; readonly partitions: number};

/** What holds for results after a failure. */
export type Guarantee = 'exactly-once' | 'at-least-once';

export type PartitionSinkOptions = {
  readonly writer: PartitionWriter;
  readonly store: ReplicatedStore;
  readonly output: OutputTopic;
  readonly deadLetters: {readonly letters: KafkaDeadLetters; readonly output: OutputTopic} | undefined;
  readonly guarantee: Guarantee;
  /** Called behind each barrier that was committed. */
  readonly onCommitted: (checkpoint: Checkpoint, committed: Committed) => void;
};

export type Committed = {readonly results: number; readonly deadLetters: number; readonly ms: number};

/** How long results wait for others to be written with them, where they do not wait for a barrier. */
const lingerMs = 20;

/** What is held of results that come while a barrier is committed. */
const heldBytes = 8 * 1024 * 1024;

/**
 * Writes results in the transaction of the barrier behind them, or at once if they need only arrive at least once.
 *
 * While a barrier is committed, results behind it are held, so that the pipeline goes on working.
 */
export class PartitionSink implements Sink<Message> {
  readonly #options: PartitionSinkOptions;
  #lingering: NodeJS.Timeout | undefined;
  /** The commit under way; settled once what was held meanwhile is written. */
  #committing: Promise<void> | undefined;
  #held: StreamRecord<Message>[] = [];
  #heldBytes = 0;
  /** Since the last barrier. */
  #results = 0;

  constructor(options: PartitionSinkOptions) {
    this.#options = options;
  }

  open(): WritableStream<Element<StreamRecord<Message>>> {
    return new WritableStream<Element<StreamRecord<Message>>>({
      write: (element, controller) => {
        const fail = (error: unknown) => controller.error(error);
        return element instanceof Checkpoint ? this.#begin(element, fail) : this.#write(element, fail);
      },
      close: () => this.#committing,
      abort: async () => {
        clearTimeout(this.#lingering);
        await this.#committing?.catch(() => {});
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#lingering);
  }

  /** Begins a commit once the one before it has ended. */
  async #begin(checkpoint: Checkpoint, fail: (error: unknown) => void): Promise<void> {
    await this.#committing;
    const committing = this.#commit(checkpoint).then(async () => {
      // More may come to the end meanwhile; taking each from the front would move all the others.
      for (let i = 0; i < this.#held.length; i++) await this.#put(this.#held[i]!, fail);
      this.#held = [];
      this.#heldBytes = 0;
      this.#committing = undefined;
    });
    this.#committing = committing;
    committing.catch(fail);
  }

  async #write(record: StreamRecord<Message>, fail: (error: unknown) => void): Promise<void> {
    if (this.#committing === undefined) return this.#put(record, fail);
    this.#held.push(record);
    this.#heldBytes += record.value.value?.length ?? 0;
    if (this.#heldBytes > heldBytes) await this.#committing;
  }

  async #put({key, value, timestamp}: StreamRecord<Message>, fail: (error: unknown) => void): Promise<void> {
    const {writer, output, guarantee} = this.#options;
    await writer.write(output.topic, partitionOf(key, output), {key, timestamp, ...value});
    this.#results++;
    if (guarantee === 'exactly-once') return;
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      // Both at once, so that nothing of a checkpoint comes between them.
      Promise.all([writer.flush(), writer.commit()]).catch(fail);
    }, lingerMs);
  }

  async #commit(checkpoint: Checkpoint): Promise<void> {
    const {writer, store, deadLetters, onCommitted} = this.#options;
    const start = performance.now();
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    const letters = deadLetters?.letters.take() ?? [];
    for (const letter of letters) {
      const {output} = deadLetters!;
      await writer.write(output.topic, partitionOf(letter.key, output), deadLetterMessage(letter));
    }
    checkpoint.onFlush(async () => {
      await writer.flush();
      return undefined;
    });
    checkpoint.onCommit(progress => store.finish(progress));
    await checkpoint.commit();
    onCommitted(checkpoint, {results: this.#results, deadLetters: letters.length, ms: performance.now() - start});
    this.#results = 0;
  }
}
