import type {ConnectionOptions} from 'node:tls';
import kafkajs, {type Admin, type CompressionTypes, type Kafka, type logLevel, type SASLOptions} from 'kafkajs';
import {abandonCluster} from './abandon-cluster.ts';
import {checkBrokerVersions} from './check-broker-versions.ts';
import {checkWaitingRequests} from './check-waiting-requests.ts';
import {type CompressionName, compressionType} from './compression.ts';
import type {
  GroupMember,
  JoinOptions,
  KafkaCallOptions,
  KafkaClient,
  PartitionReader,
  ProducerOptions,
  TransactionalProducer,
} from './kafka-client.ts';
import {kafkaFailure} from './kafka-failure.ts';
import {type KafkajsCluster, kafkajsCluster, withCluster} from './kafkajs-cluster.ts';
import {KafkajsMember} from './kafkajs-member.ts';
import {KafkajsProducer} from './kafkajs-producer.ts';
import {KafkajsReader} from './kafkajs-reader.ts';
import {KafkajsTopics} from './kafkajs-topics.ts';

export type KafkajsClientOptions = {
  /** Addresses to begin with, as `host:port`. */
  readonly brokers: readonly string[];
  /** How the brokers' logs call this process. @default 'palimpsest' */
  readonly clientId?: string;
  /** TLS: `true`, or what `tls.connect` takes, such as `ca`, `cert` and `key`. @default none */
  readonly ssl?: boolean | ConnectionOptions;
  /** Mechanism `plain`, `scram-sha-256`, `scram-sha-512`, `oauthbearer` or `aws`, with what it needs. @default none */
  readonly sasl?: SASLOptions;
  /** How batches are compressed that are written; all of these are read. @default 'none' */
  readonly compression?: CompressionName;
  /** Takes the warnings of kafkajs, which holds no credentials in them. @default they are dropped */
  readonly onWarning?: (message: string) => void;
};

/** A cluster that is spoken to with kafkajs. */
export class KafkajsClient implements KafkaClient {
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #topics: KafkajsTopics;
  #adminCluster: KafkajsCluster | undefined;
  readonly #compression: CompressionTypes;

  /**
   * Connects, and makes sure that the brokers can be spoken to.
   *
   * Changes one thing for all of kafkajs in this process: its connections look for requests that wait only while some do, in place of a
   * thousand times a second.
   *
   * @throws {TypeError | RangeError} If an option is not valid.
   * @throws {PipelineError} If no broker answers, credentials are refused, or a broker is too old or too new.
   */
  static async open(options: KafkajsClientOptions): Promise<KafkajsClient> {
    const client = new KafkajsClient(options);
    try {
      const cluster = kafkajsCluster(client.#kafka);
      try {
        await cluster.connect();
        await cluster.refreshMetadata();
        checkBrokerVersions((await cluster.findControllerBroker()).versions);
      } finally {
        await cluster.disconnect();
      }
      await client.#admin.connect();
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw kafkaFailure(error, `connect to ${options.brokers.join()}`);
    }
  }

  private constructor({
    brokers,
    clientId = 'palimpsest',
    ssl,
    sasl,
    compression = 'none',
    onWarning,
  }: KafkajsClientOptions) {
    if (brokers.length === 0) {
      throw new TypeError('Cannot connect to Kafka as brokers must name at least one: it is empty');
    }
    this.#compression = compressionType(compression);
    checkWaitingRequests();
    this.#kafka = new kafkajs.Kafka({
      brokers: [...brokers],
      clientId,
      ...(ssl !== undefined && {ssl}),
      ...(sasl !== undefined && {sasl}),
      connectionTimeout: 5000,
      requestTimeout: 30_000,
      retry: {initialRetryTime: 100, maxRetryTime: 2000, retries: 8},
      // What is in order at a start or a rebalance it logs as errors; those that matter are thrown.
      logLevel: kafkajs.logLevel.WARN as logLevel,
      logCreator:
        () =>
        ({log: {message, error}}) =>
          onWarning?.(error === undefined ? message : `${message}: ${error}`),
    });
    this.#admin = withCluster(this.#kafka, cluster => {
      this.#adminCluster = cluster;
      return cluster;
    }).admin();
    this.#topics = new KafkajsTopics(this.#admin);
  }

  async partitionCount(topic: string, options?: KafkaCallOptions): Promise<number | undefined> {
    return this.#topics.partitionCount(topic, options);
  }

  async createTopic(topic: string, options: Parameters<KafkaClient['createTopic']>[1]): Promise<void> {
    await this.#topics.createTopic(topic, options);
  }

  async openReader(topic: string, partition: number): Promise<PartitionReader> {
    return new KafkajsReader(kafkajsCluster(this.#kafka), topic, partition);
  }

  async openProducer(transactionalId: string, options: ProducerOptions): Promise<TransactionalProducer> {
    return KafkajsProducer.open(this.#kafka, {...options, transactionalId, compression: this.#compression});
  }

  async join(options: JoinOptions): Promise<GroupMember> {
    return KafkajsMember.join(this.#kafka, options);
  }

  /** Closes its own connection, and ends what waits for it; readers, producers and memberships stay open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await abandonCluster(this.#adminCluster!);
    await this.#admin.disconnect();
  }
}
