import type {KafkajsCluster} from './kafkajs-cluster.ts';

/**
 * Lets a cluster of kafkajs find out anew, after a failure, which brokers there are and what they lead.
 *
 * @returns Whether any broker answered.
 */
export async function recoverCluster(cluster: KafkajsCluster, error: unknown): Promise<boolean> {
  const {host, port} = error as {host?: string; port?: number};
  if (host !== undefined && port !== undefined) cluster.removeBroker({host, port});
  try {
    await cluster.refreshMetadata();
    return true;
  } catch {
    return false;
  }
}
