import type {Kafka} from 'kafkajs';
import {kafkajsVersionError} from './kafkajs-version-error.ts';

/**
 * What kafkajs 2.2.4 keeps behind its consumer: a connection pool that knows leaders and coordinators.
 *
 * The reader uses it directly because the consumer hides what the reader must know (the last stable offset, the end of a
 * partition) and does what it must not do (jump over deleted records, show messages of aborted transactions). The version of kafkajs is pinned for this reason.
 */
export type KafkajsCluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  removeBroker(address: {host: string; port: number}): void;
  addTargetTopic(topic: string): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly {readonly partitionId: number}[];
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  findBroker(options: {nodeId: string}): Promise<KafkajsBroker>;
  findControllerBroker(): Promise<KafkajsBroker>;
  findGroupCoordinator(request: {readonly groupId: string; readonly coordinatorType?: number}): Promise<KafkajsBroker>;
  /** The brokers that are known, and the one that tells of them. */
  readonly brokerPool: {
    readonly seedBroker: KafkajsBroker | undefined;
    readonly brokers: Readonly<Record<string, KafkajsBroker>>;
  };
  /** Makes connections to a broker, not connected yet. */
  readonly connectionPoolBuilder: {build(): Promise<object>};
};

type TransactionRequest = {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
};

export type KafkajsBroker = {
  readonly nodeId: string | number;
  isConnected(): boolean;
  /** What the broker understands, by number of the request. */
  readonly versions: Readonly<Record<number, {readonly minVersion: number; readonly maxVersion: number}>>;
  listOffsets(request: {
    isolationLevel: number;
    topics: readonly {topic: string; partitions: readonly {partition: number; timestamp: number}[]}[];
  }): Promise<{responses: readonly {partitions: readonly {offset: string}[]}[]}>;
  initProducerId(request: {
    readonly transactionalId: string;
    readonly transactionTimeout: number;
  }): Promise<{readonly producerId: string; readonly producerEpoch: number}>;
  addPartitionsToTxn(
    request: TransactionRequest & {
      readonly topics: readonly {readonly topic: string; readonly partitions: readonly number[]}[];
    },
  ): Promise<unknown>;
  /** @param request.transactionResult Whether to commit it. */
  endTxn(request: TransactionRequest & {readonly transactionResult: boolean}): Promise<unknown>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly connectionPool: {
    /** The first is for all requests but fetches. */
    readonly pool: readonly KafkajsConnection[];
    /** The first, connected. */
    getConnection(): Promise<KafkajsConnection>;
  };
  /** Methods behind symbols, one of which sends any request. */
  readonly [method: symbol]: (request: object) => Promise<unknown>;
};

export type KafkajsConnection = {
  readonly clientId: string;
  /** There is none before it is first connected. */
  readonly socket: {write(bytes: Buffer): void; destroy(error?: Error): void};
  /** While credentials are shown. */
  readonly authHandlers: {onError(): void} | null;
  connect(): Promise<unknown>;
  /** Waits for requests that are not answered. */
  disconnect(): Promise<unknown>;
  isConnected(): boolean;
  failIfNotConnected(): void;
  /** Lets all requests that are not answered fail. */
  rejectRequests(error: Error): void;
  nextCorrelationId(): number;
  readonly requestQueue: {
    push(request: {
      readonly entry: {
        readonly apiKey: number;
        readonly apiName: string;
        readonly apiVersion: number;
        readonly correlationId: number;
        readonly resolve: (answer: {payload: Buffer}) => void;
        readonly reject: (error: unknown) => void;
      };
      readonly expectResponse: boolean;
      readonly requestTimeout: number | null;
      readonly sendRequest: () => void;
    }): void;
    maybeThrottle(milliseconds: number): void;
  };
};

/** Committed records only. */
export const readCommitted = 1;

type CreateCluster = (options: object) => KafkajsCluster;

/** @throws If this is not the version of kafkajs that it was written for. */
export function kafkajsCluster(kafka: Kafka): KafkajsCluster {
  const [, createCluster] = creatorOf(kafka);
  return createCluster({isolationLevel: readCommitted, allowAutoTopicCreation: false, metadataMaxAge: 60_000});
}

/** The same Kafka, but what it makes has a cluster that `change` has seen. */
export function withCluster(kafka: Kafka, change: (cluster: KafkajsCluster) => KafkajsCluster): Kafka {
  const [symbol, createCluster] = creatorOf(kafka);
  return Object.create(kafka, {[symbol]: {value: (options: object) => change(createCluster(options))}}) as Kafka;
}

function creatorOf(kafka: Kafka): [symbol: symbol, createCluster: CreateCluster] {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({description}) => description === 'private:Kafka:createCluster',
  );
  if (symbol === undefined) {
    throw kafkajsVersionError();
  }
  return [symbol, (kafka as unknown as Record<symbol, CreateCluster>)[symbol]!];
}
