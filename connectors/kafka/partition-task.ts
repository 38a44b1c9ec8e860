import {SourceError} from '../../errors.ts';
import type {MemoryDtype} from '../../memory-store/memory-dtype.ts';
import type {MemoryStore} from '../../memory-store/memory-store.ts';
import {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';
import type {DeadLetters} from '../../pipeline/dead-letters.ts';
import type {DocumentChunk} from '../../pipeline/document-chunk.ts';
import type {Message} from '../../pipeline/message.ts';
import type {Pipeline} from '../../pipeline/pipeline.ts';
import type {Source} from '../../pipeline/source.ts';
import type {KafkaClient, PartitionReader} from './kafka-client.ts';
import {KafkaDeadLetters} from './kafka-dead-letters.ts';
import {type Guarantee, type OutputTopic, PartitionSink} from './partition-sink.ts';
import {PartitionSource} from './partition-source.ts';
import type {PartitionStores} from './partition-stores.ts';
import {PartitionWriter} from './partition-writer.ts';
import {ReplicatedStore} from './replicated-store.ts';
import {restoreStore} from './restore-store.ts';
import {untilAborted} from './until-aborted.ts';
import type {WorkerEvent} from './worker-event.ts';

/** What a pipeline over one partition is made of. */
export type PartitionContext = {
  readonly partition: number;
  /** Messages of the partition as chunks of documents, keyed by the key of the message. */
  readonly source: Source<DocumentChunk>;
  /** The memories of the partition's documents; one stage of the pipeline may commit to it. */
  readonly store: MemoryStore;
  /** Written in the same transaction as results; for one `DecodeStream`. There are none without a topic for them. */
  readonly deadLetters: DeadLetters | undefined;
  /** Asks for a barrier earlier than it is due. */
  readonly checkpoints: CheckpointSchedule;
  /** Behind the last record of the partition that can be read, as far as it is known. */
  readonly endOffset: () => bigint;
  /** Has something disposed of when work on the partition ends. */
  own<T extends AsyncDisposable>(resource: T): T;
};

export type PartitionTaskOptions = {
  readonly client: KafkaClient;
  readonly application: string;
  readonly topic: string;
  readonly partition: number;
  readonly changelog: string;
  readonly output: OutputTopic;
  readonly deadLetters: OutputTopic | undefined;
  readonly stores: PartitionStores;
  readonly guarantee: Guarantee;
  readonly pipeline: (context: PartitionContext) => Pipeline<Message>;
  readonly startAt: 'earliest' | 'latest';
  readonly fingerprint: string | undefined;
  readonly dtype: MemoryDtype;
  readonly checkpointMs: number;
  readonly checkpointBytes: number;
  readonly fetchBytes: () => number;
  readonly transactionTimeoutMs: number;
  readonly onEvent: (event: WorkerEvent) => void;
};

/**
 * How long a task that is cut off waits for its streams. Those of Node.js 20 never settle when they are aborted while a write waits for
 * room; a commit in flight is ended by closing the producer.
 */
const graceMs = 2000;

/**
 * Works on one partition: shuts out whoever did before, restores what it had committed, and reads on from there.
 *
 * Whatever goes wrong, whether or not a transaction in doubt was committed: to run it again is right, as everything is learnt
 * anew from the changelog.
 */
export class PartitionTask {
  readonly #options: PartitionTaskOptions;
  readonly #signal: AbortSignal;
  /** To be disposed of, the latest first. */
  readonly #resources: AsyncDisposable[] = [];
  #source: PartitionSource | undefined;
  #finishing = false;

  constructor(options: PartitionTaskOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Lets the run end behind what has been read, with everything committed. */
  finish(): void {
    this.#finishing = true;
    this.#source?.finish();
  }

  /** Resolves after {@link finish}; rejects with what went wrong, or the signal's reason. May be called once. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      await this.#dispose().catch(() => {});
      throw error;
    }
    await this.#dispose();
  }

  /** Disposes of all, whatever fails of it. */
  async #dispose(): Promise<void> {
    const failures: unknown[] = [];
    for (const resource of this.#resources.reverse()) {
      try {
        await resource[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #run(): Promise<void> {
    const {client, application, topic, partition, changelog, stores, onEvent} = this.#options;
    const {fingerprint, dtype, guarantee, transactionTimeoutMs, checkpointBytes: bytes} = this.#options;
    const {output, deadLetters: deadLetterTopic} = this.#options;
    const signal = this.#signal;
    // Closed last: a commit under way in it ends when the producer is closed.
    const local = this.#own(await stores.open(partition));
    const topics = [changelog, output.topic, ...(deadLetterTopic === undefined ? [] : [deadLetterTopic.topic])];
    const id = `${application}.${topic}.${partition}`;
    const opening = client.openProducer(id, {topics, transactionTimeoutMs, signal});
    const producer = this.#own(await untilAborted(opening, {signal, late: late => late[Symbol.asyncDispose]()}));

    const start = performance.now();
    const changelogReader = this.#own(await client.openReader(changelog, partition));
    const {
      nextOffset: known,
      topicId: knownId,
      ...restored
    } = await restoreStore({
      local,
      reader: changelogReader,
      changelog,
      partition,
      source: `${topic}/${partition}`,
      fingerprint,
      signal,
      onProgress: progress => onEvent({type: 'restoring', partition, ms: performance.now() - start, ...progress}),
    });
    await changelogReader[Symbol.asyncDispose]();
    onEvent({type: 'restored', partition, ms: performance.now() - start, ...restored});

    const reader = this.#own(await client.openReader(topic, partition));
    const topicId = await reader.topicId({signal});
    if (knownId !== undefined && topicId !== undefined && topicId !== knownId) {
      throw new SourceError(
        `Cannot read partition ${partition} of topic "${topic}" on from offset ${known} as it must be the topic that was read until there: it has been made anew since; use another application name`,
      );
    }
    const nextOffset = known ?? (await this.#firstOffset(reader));
    const checkpoints = new CheckpointSchedule({bytes});
    const {checkpointMs, fetchBytes} = this.#options;
    const source = new PartitionSource({
      reader,
      topic,
      partition,
      nextOffset,
      checkpointMs,
      fetchBytes,
      checkpoints,
    });
    this.#source = source;
    if (this.#finishing) source.finish();

    const writer = new PartitionWriter(producer);
    const store = new ReplicatedStore({
      local,
      writer,
      topic,
      partition,
      changelog,
      changelogOffset: restored.endOffset,
      group: application,
      dtype,
      fingerprint,
      topicId: topicId ?? knownId,
      isLast: nextOffset => this.#finishing || nextOffset >= source.endOffset,
    });
    if (known === undefined) {
      // So that where it began does not change when it begins again.
      const begun = store.commit([], {
        partitions: new Map([[`${topic}/${partition}`, {nextOffset, ended: false}]]),
        outputs: new Map(),
      });
      // It ends when the producer is closed.
      await untilAborted(begun, {signal});
    }
    const letters = new KafkaDeadLetters(checkpoints);
    const sink = new PartitionSink({
      writer,
      store,
      output,
      deadLetters: deadLetterTopic && {letters, output: deadLetterTopic},
      guarantee,
      onCommitted: (checkpoint, committed) => {
        const {nextOffset} = checkpoint.partitions.get(`${topic}/${partition}`)!;
        const timestamp = source.timestampOf(checkpoint);
        onEvent({type: 'committed', partition, nextOffset, endOffset: source.endOffset, timestamp, ...committed});
      },
    });
    const pipeline = this.#options.pipeline({
      partition,
      source,
      store,
      deadLetters: deadLetterTopic && letters,
      checkpoints,
      endOffset: () => source.endOffset,
      own: resource => this.#own(resource),
    });
    onEvent({type: 'started', partition, nextOffset});
    await pipeline.to(sink, {signal, checkpoints, graceMs});
  }

  #own<T extends AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  async #firstOffset(reader: PartitionReader): Promise<bigint> {
    const {startOffset, endOffset} = await reader.range({signal: this.#signal});
    return this.#options.startAt === 'earliest' ? startOffset : endOffset;
  }
}
