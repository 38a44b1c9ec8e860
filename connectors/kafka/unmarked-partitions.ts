import type {KafkajsCluster} from './kafkajs-cluster.ts';
import {openTransactions, type TopicPartitions} from './open-transactions.ts';
import {patiently} from './patiently.ts';
import {recoverCluster} from './recover-cluster.ts';

/**
 * Finds the partitions in which records of a producer wait for the mark of their transaction.
 *
 * Where that transaction has ended, as its coordinator says, the mark will never come. A broker that was killed takes a transaction that it
 * was ending for complete when it starts again and does not know the leaders of its partitions yet; Kafka 4.3.1 then logs
 * that they have likely been deleted.
 */
export async function unmarkedPartitions(
  cluster: KafkajsCluster,
  {topics, producerId}: {readonly topics: readonly string[]; readonly producerId: bigint},
): Promise<TopicPartitions[]> {
  const ask = async () => {
    await cluster.addMultipleTargetTopics(topics);
    const asked = new Map<string, TopicPartitions[]>();
    for (const topic of topics) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({partitionId}) => partitionId);
      for (const [leader, led] of Object.entries(cluster.findLeaderForPartitions(topic, partitions))) {
        asked.set(leader, [...(asked.get(leader) ?? []), {topic, partitions: led}]);
      }
    }
    const found = await Promise.all(
      [...asked].map(async ([nodeId, led]) => openTransactions(await cluster.findBroker({nodeId}), led, producerId)),
    );
    return merged(found.flat());
  };
  return patiently('look for transactions without a mark', ask, {recover: error => recoverCluster(cluster, error)});
}

function merged(found: readonly TopicPartitions[]): TopicPartitions[] {
  const partitions = new Map<string, number[]>();
  for (const {topic, partitions: some} of found) partitions.set(topic, [...(partitions.get(topic) ?? []), ...some]);
  return [...partitions].map(([topic, all]) => ({topic, partitions: all}));
}
