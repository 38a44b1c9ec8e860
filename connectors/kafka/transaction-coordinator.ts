import type {KafkajsBroker, KafkajsCluster} from './kafkajs-cluster.ts';

/** Of the two kinds of coordinators, that of transactions. */
const coordinatorType = 1;

/** The broker that keeps account of the transactions of an id. */
export function transactionCoordinator(cluster: KafkajsCluster, transactionalId: string): Promise<KafkajsBroker> {
  return cluster.findGroupCoordinator({groupId: transactionalId, coordinatorType});
}
