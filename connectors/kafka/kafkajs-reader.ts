import {setTimeout as delay} from 'node:timers/promises';
import {PipelineError, SourceError} from '../../errors.ts';
import {abandonCluster} from './abandon-cluster.ts';
import {committedMessages} from './committed-messages.ts';
import {fetchPartition} from './fetch-partition.ts';
import type {Fetched, KafkaCallOptions, PartitionReader} from './kafka-client.ts';
import {kafkaFailure} from './kafka-failure.ts';
import {type KafkajsBroker, type KafkajsCluster, readCommitted} from './kafkajs-cluster.ts';
import {readTopicId} from './read-topic-id.ts';
import {recordBatches} from './record-batches.ts';
import {recoverCluster} from './recover-cluster.ts';
import {untilAborted} from './until-aborted.ts';

const shortestPause = 50;
const longestPause = 2000;
const earliest = -2;
const latest = -1;

/** Reads one partition over connections of its own. */
export class KafkajsReader implements PartitionReader {
  readonly #cluster: KafkajsCluster;
  readonly #topic: string;
  readonly #partition: number;
  /** Ends what waits when the reader is closed. */
  readonly #closing = new AbortController();
  #connected = false;

  constructor(cluster: KafkajsCluster, topic: string, partition: number) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#partition = partition;
  }

  async range({signal}: KafkaCallOptions = {}): Promise<{startOffset: bigint; endOffset: bigint}> {
    return this.#attempt(async broker => {
      const [startOffset, endOffset] = await Promise.all(
        [earliest, latest].map(async timestamp => {
          const topics = [{topic: this.#topic, partitions: [{partition: this.#partition, timestamp}]}];
          const {responses} = await broker.listOffsets({isolationLevel: readCommitted, topics});
          return BigInt(responses[0]!.partitions[0]!.offset);
        }),
      );
      return {startOffset: startOffset!, endOffset: endOffset!};
    }, signal);
  }

  async topicId({signal}: KafkaCallOptions = {}): Promise<string | undefined> {
    return this.#attempt(broker => readTopicId(broker, this.#topic), signal);
  }

  async fetch(
    offset: bigint,
    {maxBytes, maxWaitMs, signal}: KafkaCallOptions & {maxBytes: number; maxWaitMs: number},
  ): Promise<Fetched> {
    try {
      const {lastStableOffset, aborted, records} = await this.#attempt(
        broker => fetchPartition(broker, {topic: this.#topic, partition: this.#partition, offset, maxBytes, maxWaitMs}),
        signal,
      );
      return {
        ...(await committedMessages(recordBatches(records), {offset, aborted})),
        endOffset: lastStableOffset,
      };
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as {type?: string}).type !== 'OFFSET_OUT_OF_RANGE') throw kafkaFailure(error, `read ${this.#name}`);
      const {startOffset, endOffset} = await this.range({signal});
      throw new SourceError(
        offset < startOffset
          ? `Cannot read ${this.#name} on from offset ${offset} as its records must still be there: it begins at ${startOffset}, what lay before has been deleted`
          : `Cannot read ${this.#name} on from offset ${offset} as it must reach that far: it ends at ${endOffset}; has the topic been made anew?`,
        {cause: error},
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new PipelineError(`Cannot read ${this.#name} as its reader must be open: it has been closed`);
    this.#closing.abort(reason);
    await abandonCluster(this.#cluster);
  }

  get #name(): string {
    return `partition ${this.#partition} of topic "${this.#topic}"`;
  }

  /** Asks the partition's leader, and asks again while brokers are away or leaders move. */
  async #attempt<T>(ask: (leader: KafkajsBroker) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const closing = this.#closing.signal;
    const unlessEnded = <U>(promise: Promise<U>): Promise<U> =>
      untilAborted(untilAborted(promise, {signal: closing}), {signal});
    for (let pause = shortestPause; ; pause = Math.min(pause * 2, longestPause)) {
      signal?.throwIfAborted();
      closing.throwIfAborted();
      try {
        return await unlessEnded(this.#ask(ask));
      } catch (error) {
        signal?.throwIfAborted();
        closing.throwIfAborted();
        if ((error as {type?: string}).type === 'OFFSET_OUT_OF_RANGE' || error instanceof SourceError) throw error;
        const failure = kafkaFailure(error, `read ${this.#name}`);
        if (!failure.retriable) throw failure;
        await unlessEnded(delay(pause));
        if (!(await unlessEnded(recoverCluster(this.#cluster, error)))) this.#connected = false;
      }
    }
  }

  async #ask<T>(ask: (leader: KafkajsBroker) => Promise<T>): Promise<T> {
    if (!this.#connected) {
      await this.#cluster.connect();
      await this.#cluster.addTargetTopic(this.#topic);
      this.#connected = true;
    }
    const [leader] = Object.keys(this.#cluster.findLeaderForPartitions(this.#topic, [this.#partition]));
    if (leader === undefined) {
      throw new SourceError(`Cannot read ${this.#name} as there must be such a partition: there is none`);
    }
    return ask(await this.#cluster.findBroker({nodeId: leader}));
  }
}
