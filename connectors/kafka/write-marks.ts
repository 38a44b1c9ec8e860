import {PipelineError} from '../../errors.ts';
import type {KafkajsCluster} from './kafkajs-cluster.ts';
import type {TopicPartitions} from './open-transactions.ts';
import {patiently} from './patiently.ts';
import {recoverCluster} from './recover-cluster.ts';
import {transactionCoordinator} from './transaction-coordinator.ts';

export type WriteMarksOptions = {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /** That wrote what is to be marked. */
  readonly producerId: bigint;
  readonly partitions: readonly TopicPartitions[];
  readonly outcome: 'commit' | 'abort';
};

/**
 * Marks the records of a transaction that has ended without marks, by another one that adds nothing to their partitions and ends alike.
 * Shuts out all producers of the transactional id.
 *
 * @throws {PipelineError} If the cluster has forgotten who wrote them.
 */
export async function writeMarks(
  cluster: KafkajsCluster,
  {transactionalId, transactionTimeoutMs, producerId, partitions, outcome}: WriteMarksOptions,
): Promise<void> {
  const action = `end the last transaction of "${transactionalId}"`;
  const ask = <T>(request: (coordinator: Awaited<ReturnType<typeof transactionCoordinator>>) => Promise<T>) =>
    patiently(action, async () => request(await transactionCoordinator(cluster, transactionalId)), {
      recover: error => recoverCluster(cluster, error),
    });
  const producer = await ask(coordinator =>
    coordinator.initProducerId({transactionalId, transactionTimeout: transactionTimeoutMs}),
  );
  if (BigInt(producer.producerId) !== producerId) {
    const names = partitions.map(({topic, partitions: numbers}) => `${topic}/${numbers.join()}`).join(', ');
    throw new PipelineError(
      `Cannot ${action} as the cluster must still know its producer: it has made another; abort what producer ${producerId} wrote to ${names} with kafka-transactions.sh`,
    );
  }
  const of = {transactionalId, producerId: producer.producerId, producerEpoch: producer.producerEpoch};
  await ask(coordinator => coordinator.addPartitionsToTxn({...of, topics: partitions}));
  await ask(coordinator => coordinator.endTxn({...of, transactionResult: outcome === 'commit'}));
}
