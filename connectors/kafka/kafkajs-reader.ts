import {createRequire} from 'node:module';
import {setTimeout as delay} from 'node:timers/promises';
import type {KafkaMessage} from 'kafkajs';
import {SourceError} from '../../errors.ts';
import type {Fetched, FetchedMessage, PartitionReader} from './kafka-client.ts';
import {kafkaFailure} from './kafka-failure.ts';
import {type FetchedPartition, type KafkajsBroker, type KafkajsCluster, readCommitted} from './kafkajs-cluster.ts';

type Batch = {
  readonly messages: readonly KafkaMessage[];
  readonly messagesWithinOffset: readonly KafkaMessage[];
};

/** kafkajs's own filter of aborted transactions and their marks. */
const Batch = createRequire(import.meta.url)('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  offset: string,
  data: FetchedPartition,
) => Batch;

const largestFetch = 256 * 1024 * 1024;
const shortestPause = 50;
const longestPause = 2000;
const earliest = -2;
const latest = -1;

/** Reads one partition over connections of its own. */
export class KafkajsReader implements PartitionReader {
  readonly #cluster: KafkajsCluster;
  readonly #topic: string;
  readonly #partition: number;
  #connected = false;

  constructor(cluster: KafkajsCluster, topic: string, partition: number) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#partition = partition;
  }

  async range(): Promise<{startOffset: bigint; endOffset: bigint}> {
    return this.#attempt(async broker => {
      const [startOffset, endOffset] = await Promise.all(
        [earliest, latest].map(async timestamp => {
          const topics = [{topic: this.#topic, partitions: [{partition: this.#partition, timestamp}]}];
          const {responses} = await broker.listOffsets({isolationLevel: readCommitted, topics});
          return BigInt(responses[0]!.partitions[0]!.offset);
        }),
      );
      return {startOffset: startOffset!, endOffset: endOffset!};
    });
  }

  async fetch(
    offset: bigint,
    {maxBytes, maxWaitMs, signal}: {maxBytes: number; maxWaitMs: number; signal?: AbortSignal},
  ): Promise<Fetched> {
    for (let bytes = maxBytes; ; bytes *= 2) {
      const {batch, endOffset} = await this.#fetchOnce(offset, {bytes, maxWaitMs, signal});
      const last = batch.messagesWithinOffset.at(-1);
      if (last !== undefined) {
        return {messages: batch.messages.map(fetchedMessage), nextOffset: BigInt(last.offset) + 1n, endOffset};
      }
      // Compaction leaves empty batches behind. When what was read is nothing but such, more has to be read at once.
      if (offset >= endOffset) return {messages: [], nextOffset: offset, endOffset};
      if (bytes > largestFetch) {
        throw new SourceError(
          `Cannot read ${this.#name} at offset ${offset} as ${largestFetch} bytes behind it must hold a record: there is none, although it ends at ${endOffset}`,
        );
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.disconnect();
  }

  get #name(): string {
    return `partition ${this.#partition} of topic "${this.#topic}"`;
  }

  async #fetchOnce(
    offset: bigint,
    {bytes, maxWaitMs, signal}: {bytes: number; maxWaitMs: number; signal: AbortSignal | undefined},
  ): Promise<{batch: Batch; endOffset: bigint}> {
    const fetchOffset = offset.toString();
    try {
      return await this.#attempt(async broker => {
        const {responses} = await broker.fetch({
          isolationLevel: readCommitted,
          maxWaitTime: maxWaitMs,
          minBytes: 1,
          maxBytes: bytes,
          topics: [{topic: this.#topic, partitions: [{partition: this.#partition, fetchOffset, maxBytes: bytes}]}],
        });
        const partition = responses[0]!.partitions[0]!;
        return {
          batch: new Batch(this.#topic, fetchOffset, partition),
          endOffset: BigInt(partition.lastStableOffset),
        };
      }, signal);
    } catch (error) {
      if ((error as {type?: string}).type !== 'OFFSET_OUT_OF_RANGE') throw error;
      const {startOffset, endOffset} = await this.range();
      throw new SourceError(
        offset < startOffset
          ? `Cannot read ${this.#name} on from offset ${offset} as its records must still be there: it begins at ${startOffset}, what lay before has been deleted`
          : `Cannot read ${this.#name} on from offset ${offset} as it must reach that far: it ends at ${endOffset}; has the topic been made anew?`,
        {cause: error},
      );
    }
  }

  /** Asks the partition's leader, and asks again while brokers are away or leaders move. */
  async #attempt<T>(ask: (leader: KafkajsBroker) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let pause = shortestPause; ; pause = Math.min(pause * 2, longestPause)) {
      signal?.throwIfAborted();
      try {
        if (!this.#connected) {
          await this.#cluster.connect();
          await this.#cluster.addTargetTopic(this.#topic);
          this.#connected = true;
        }
        const [leader] = Object.keys(this.#cluster.findLeaderForPartitions(this.#topic, [this.#partition]));
        if (leader === undefined) {
          throw new SourceError(`Cannot read ${this.#name} as there must be such a partition: there is none`);
        }
        return await ask(await this.#cluster.findBroker({nodeId: leader}));
      } catch (error) {
        const {type, host, port} = error as {type?: string; host?: string; port?: number};
        if (type === 'OFFSET_OUT_OF_RANGE' || error instanceof SourceError) throw error;
        const failure = kafkaFailure(error, `read ${this.#name}`);
        if (!failure.retriable) throw failure;
        if (host !== undefined && port !== undefined) this.#cluster.removeBroker({host, port});
        await delay(pause, undefined, signal && {signal}).catch(() => signal?.throwIfAborted());
        await this.#cluster.refreshMetadata().catch(() => {
          this.#connected = false;
        });
      }
    }
  }
}

function fetchedMessage({offset, key, value, headers, timestamp}: KafkaMessage): FetchedMessage {
  return {
    offset: BigInt(offset),
    key: key ?? undefined,
    value: value ?? undefined,
    headers: firstHeaders(headers),
    timestamp: Number(timestamp),
  };
}

function firstHeaders(headers: KafkaMessage['headers']): Record<string, Uint8Array> {
  const first: Record<string, Uint8Array> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const one = Array.isArray(value) ? value[0] : value;
    if (one !== undefined) first[name] = typeof one === 'string' ? Buffer.from(one) : one;
  }
  return first;
}
