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

/** Writes results in the transaction of the barrier behind them, or at once if they need only arrive at least once. */
export class PartitionSink implements Sink<Message> {
  readonly #options: PartitionSinkOptions;
  #lingering: NodeJS.Timeout | undefined;
  /** Since the last barrier. */
  #results = 0;

  constructor(options: PartitionSinkOptions) {
    this.#options = options;
  }

  open(): WritableStream<Element<StreamRecord<Message>>> {
    return new WritableStream<Element<StreamRecord<Message>>>({
      write: (element, controller) => {
        if (element instanceof Checkpoint) return this.#commit(element);
        return this.#write(element, error => controller.error(error));
      },
      abort: () => clearTimeout(this.#lingering),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#lingering);
  }

  async #write({key, value, timestamp}: StreamRecord<Message>, fail: (error: unknown) => void): Promise<void> {
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
