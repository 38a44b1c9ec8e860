import {setTimeout as delay} from 'node:timers/promises';
import type {CompressionTypes, Kafka, Producer, Transaction} from 'kafkajs';
import {PipelineError} from '../../errors.ts';
import {abandonCluster} from './abandon-cluster.ts';
import {encodeProduceRequests} from './encode-produce-requests.ts';
import type {OutgoingMessage, ProducerOptions, TransactionalProducer} from './kafka-client.ts';
import {kafkaFailure} from './kafka-failure.ts';
import {type KafkajsCluster, withCluster} from './kafkajs-cluster.ts';
import {lastTransaction} from './last-transaction.ts';
import {rememberCoordinators} from './remember-coordinators.ts';
import {unmarkedPartitions} from './unmarked-partitions.ts';
import {untilAborted} from './until-aborted.ts';
import {verifyMarks} from './verify-marks.ts';
import {writeMarks} from './write-marks.ts';

/**
 * After a commit, the first message of the next transaction is refused until the brokers have written the marks of the last one.
 * kafkajs waits 300 ms by default before it tries again, which would bound a partition to three checkpoints a second.
 */
const retry = {initialRetryTime: 2, factor: 0.2, multiplier: 1.5, maxRetryTime: 1000, retries: 60};

const movedCoordinator = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/** How often a transaction is ended anew whose marks are missing. */
const mostOpenings = 5;

export type KafkajsProducerOptions = ProducerOptions & {
  readonly transactionalId: string;
  readonly compression: CompressionTypes;
};

/** Writes in transactions of kafkajs. */
export class KafkajsProducer implements TransactionalProducer {
  readonly #producer: Producer;
  readonly #compression: CompressionTypes;
  readonly #cluster: KafkajsCluster;
  #transaction: Transaction | undefined;

  /** Opens a producer, shuts out earlier ones of the same id, and ends what they had begun. */
  static async open(kafka: Kafka, options: KafkajsProducerOptions): Promise<KafkajsProducer> {
    const {transactionalId, compression, signal} = options;
    const action = `open a producer for "${transactionalId}"`;
    for (let attempts = 1; attempts <= mostOpenings; attempts++) {
      signal?.throwIfAborted();
      const {producer, cluster} = createProducer(kafka, options);
      const opened = new KafkajsProducer(producer, {compression, cluster});
      try {
        if (await untilAborted(shutOutOthers({producer, cluster}, options), {signal})) return opened;
        await opened[Symbol.asyncDispose]();
      } catch (error) {
        await opened[Symbol.asyncDispose]();
        signal?.throwIfAborted();
        throw kafkaFailure(error, action);
      }
    }
    throw new PipelineError(
      `Cannot ${action} as its last transaction must be marked everywhere: marks were missing ${mostOpenings} times; brokers are being killed, or do not write them`,
      {retriable: true},
    );
  }

  private constructor(
    producer: Producer,
    {compression, cluster}: {compression: CompressionTypes; cluster: KafkajsCluster},
  ) {
    this.#producer = producer;
    this.#compression = compression;
    this.#cluster = cluster;
  }

  /**
   * One partition at a time: a `send` of kafkajs that spans several leaders can write messages twice, inside a transaction as well,
   * because it sends again to leaders that have not answered yet when another one makes it retry.
   */
  async send(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<bigint> {
    return this.#attempt(`write to partition ${partition} of topic "${topic}"`, async () => {
      this.#transaction ??= await this.#producer.transaction();
      const [written] = await this.#transaction.send({
        topic,
        acks: -1,
        compression: this.#compression,
        messages: messages.map(({key, value, headers, timestamp}) => ({
          partition,
          key: typeof key === 'string' ? key : bufferOf(key),
          value: value === undefined ? null : bufferOf(value),
          headers: {...headers},
          timestamp: String(timestamp ?? Date.now()),
        })),
      });
      return BigInt(written!.baseOffset!);
    });
  }

  async sendOffset(group: string, topic: string, partition: number, nextOffset: bigint): Promise<void> {
    await this.#attempt(`store the offset of partition ${partition} of topic "${topic}"`, async () => {
      for (let attempts = 1; ; attempts++) {
        try {
          return await this.#transaction!.sendOffsets({
            consumerGroupId: group,
            topics: [{topic, partitions: [{partition, offset: nextOffset.toString()}]}],
          });
        } catch (error) {
          // kafkajs does not try again when the group's coordinator is being moved.
          if (attempts === 50 || !movedCoordinator.has((error as {type?: string}).type ?? '')) throw error;
          await delay(100);
          await this.#cluster.refreshMetadata();
        }
      }
    });
  }

  async commit(): Promise<void> {
    await this.#attempt('commit a transaction', async () => this.#transaction?.commit());
    this.#transaction = undefined;
  }

  /** Leaves an open transaction to the next producer of the same id, which drops it. What is being sent fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    await abandonCluster(this.#cluster);
    await this.#producer.disconnect();
  }

  async #attempt<T>(action: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw kafkaFailure(error, action);
    }
  }
}

type Connected = {readonly producer: Producer; readonly cluster: KafkajsCluster};

/** @returns Whether the last transaction is marked everywhere; if not, it is now, and the producer was shut out itself. */
async function shutOutOthers(
  {producer, cluster}: Connected,
  {transactionalId, topics, transactionTimeoutMs}: KafkajsProducerOptions,
): Promise<boolean> {
  await producer.connect();
  // How it ended is forgotten once others are shut out.
  const last = await lastTransaction(cluster, transactionalId);
  // kafkajs shuts out others only when the first transaction begins.
  await (await producer.transaction()).abort();
  if (last === undefined) return true;
  const {producerId, state} = last;
  const partitions = await unmarkedPartitions(cluster, {topics, producerId});
  if (partitions.length === 0) return true;
  const outcome = state === 'PrepareCommit' || state === 'CompleteCommit' ? 'commit' : 'abort';
  await writeMarks(cluster, {transactionalId, transactionTimeoutMs, producerId, partitions, outcome});
  return false;
}

function createProducer(
  kafka: Kafka,
  {transactionalId, topics, transactionTimeoutMs}: KafkajsProducerOptions,
): Connected {
  let cluster: KafkajsCluster | undefined;
  const changed = withCluster(kafka, created => {
    cluster = verifyMarks(encodeProduceRequests(rememberCoordinators(created)), async producerId => {
      if ((await unmarkedPartitions(created, {topics, producerId})).length === 0) return;
      // kafkajs is not to try again: what the cluster forgot is made up for when the next producer is opened.
      throw Object.assign(new Error('a broker has lost marks of the transaction before'), {retriable: false});
    });
    return cluster;
  });
  const producer = changed.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: transactionTimeoutMs,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({message}) =>
        message.partition!,
    retry,
  });
  return {producer, cluster: cluster!};
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
