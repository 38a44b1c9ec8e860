import type {KafkajsBroker, KafkajsCluster} from './kafkajs-cluster.ts';

/** Brokers that are killed, or restarted in turn, are through with electing others by then. */
const patienceMs = 60_000;

/**
 * Lets a cluster of kafkajs remember which brokers coordinate: it would ask anew before each request to them, which is half of all
 * requests of a transaction. Where they are is asked again when metadata is refreshed, as kafkajs does after errors that a new
 * coordinator could cure. Where a coordinator was killed, it is looked for, a minute long, until another one has taken over: a producer of kafkajs gives up
 * with the cluster, however often it is to try itself.
 */
export function rememberCoordinators(cluster: KafkajsCluster): KafkajsCluster {
  const known = new Map<string, KafkajsBroker>();
  const find = cluster.findGroupCoordinator.bind(cluster);
  const refresh = cluster.refreshMetadata.bind(cluster);
  const search = async (request: Parameters<typeof find>[0]) => {
    for (const deadline = performance.now() + patienceMs; ; ) {
      try {
        return await find(request);
      } catch (error) {
        if (performance.now() >= deadline || (error as Error).name !== 'KafkaJSNumberOfRetriesExceeded') throw error;
        // It may ask the very broker that has gone.
        await refresh().catch(() => {});
      }
    }
  };
  return Object.assign(cluster, {
    async findGroupCoordinator(request: {readonly groupId: string; readonly coordinatorType?: number}) {
      const name = `${request.coordinatorType}:${request.groupId}`;
      const broker = known.get(name);
      if (broker?.isConnected()) return broker;
      const found = await search(request);
      known.set(name, found);
      return found;
    },
    async refreshMetadata() {
      known.clear();
      await refresh();
    },
  });
}
