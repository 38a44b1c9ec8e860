export {type CompressionName, compressionNames} from './compression.ts';
export type {StoredDeadLetter} from './dead-letter-message.ts';
export {DeadLetterTopic, type ListedDeadLetter, type ReplayOptions} from './dead-letter-topic.ts';
export {InMemoryPartitionStores} from './in-memory-partition-stores.ts';
export type {
  Fetched,
  FetchedMessage,
  GroupMember,
  JoinOptions,
  KafkaCallOptions,
  KafkaClient,
  OutgoingMessage,
  PartitionReader,
  ProducerOptions,
  TransactionalProducer,
} from './kafka-client.ts';
export {KafkaWorker, type KafkaWorkerOptions, type RunWorkerOptions} from './kafka-worker.ts';
export {KafkajsClient, type KafkajsClientOptions} from './kafkajs-client.ts';
export {LmdbPartitionStores} from './lmdb-partition-stores.ts';
export type {Guarantee} from './partition-sink.ts';
export type {PartitionStores} from './partition-stores.ts';
export type {PartitionContext} from './partition-task.ts';
export type {RestoreProgress} from './restore-store.ts';
export type {WorkerEvent} from './worker-event.ts';
