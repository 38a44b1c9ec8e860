import {type DescribedTransaction, describeTransaction, describeTransactionsApi} from './describe-transaction.ts';
import type {KafkajsCluster} from './kafkajs-cluster.ts';
import {patiently} from './patiently.ts';
import {recoverCluster} from './recover-cluster.ts';
import {transactionCoordinator} from './transaction-coordinator.ts';

/** What became of the last transaction of an id, or `undefined` if there was none or the cluster is too old to tell. */
export async function lastTransaction(
  cluster: KafkajsCluster,
  transactionalId: string,
): Promise<DescribedTransaction | undefined> {
  const ask = async () => {
    const coordinator = await transactionCoordinator(cluster, transactionalId);
    if (coordinator.versions[describeTransactionsApi] === undefined) return undefined;
    return describeTransaction(coordinator, transactionalId);
  };
  return patiently(`look up the last transaction of "${transactionalId}"`, ask, {
    recover: error => recoverCluster(cluster, error),
  });
}
