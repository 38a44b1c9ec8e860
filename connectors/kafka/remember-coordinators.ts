import type {KafkajsBroker, KafkajsCluster} from './kafkajs-cluster.ts';

/**
 * Lets a cluster of kafkajs remember which brokers coordinate: it would ask anew before each request to them, which is half of all
 * requests of a transaction. Where they are is asked again when metadata is refreshed, as kafkajs does after errors that a new
 * coordinator could cure.
 */
export function rememberCoordinators(cluster: KafkajsCluster): KafkajsCluster {
  const known = new Map<string, KafkajsBroker>();
  const find = cluster.findGroupCoordinator.bind(cluster);
  const refresh = cluster.refreshMetadata.bind(cluster);
  return Object.assign(cluster, {
    async findGroupCoordinator(request: {readonly groupId: string; readonly coordinatorType?: number}) {
      const name = `${request.coordinatorType}:${request.groupId}`;
      const broker = known.get(name);
      if (broker?.isConnected()) return broker;
      const found = await find(request);
      known.set(name, found);
      return found;
    },
    async refreshMetadata() {
      known.clear();
      await refresh();
    },
  });
}
