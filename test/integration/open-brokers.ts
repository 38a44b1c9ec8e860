import {KafkaCluster} from './kafka-cluster.ts';

/** Brokers for a test file: the user's own as `KAFKA_BROKERS` names them, else a cluster of one node that ends with the tests. */
export async function openBrokers(): Promise<AsyncDisposable & {readonly brokers: readonly string[]}> {
  const {KAFKA_BROKERS: own} = process.env;
  if (own) return {brokers: own.split(','), [Symbol.asyncDispose]: async () => {}};
  return KafkaCluster.start({...(process.env.KAFKA_VERSION && {version: process.env.KAFKA_VERSION})});
}
