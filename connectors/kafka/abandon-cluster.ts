import type {KafkajsCluster} from './kafkajs-cluster.ts';

/** Name of the error with which all fails that goes on in a cluster that was abandoned. */
export const abandoned = 'ClusterAbandoned';

/**
 * Closes a cluster of kafkajs at once and for good: what waits for its brokers fails, and no broker is connected to any more.
 *
 * Its own `disconnect` waits for answers, for up to 30 seconds, and whoever tries again meanwhile connects it anew.
 */
export async function abandonCluster({brokerPool, connectionPoolBuilder}: KafkajsCluster): Promise<void> {
  // kafkajs would try again what fails with an error of another kind.
  const error = Object.assign(new Error('the connection was closed'), {name: abandoned, retriable: false});
  const refuse = () => Promise.reject(error);
  Object.assign(connectionPoolBuilder, {build: refuse});
  const brokers = new Set([brokerPool.seedBroker, ...Object.values(brokerPool.brokers)]);
  const connections = [...brokers].flatMap(broker => broker?.connectionPool.pool ?? []);
  await Promise.all(
    connections.map(async connection => {
      // It would warn of an error of the connection.
      Object.assign(connection, {connect: refuse, logError: () => {}});
      if (!connection.isConnected()) {
        // It may be about to be.
        connection.socket?.destroy(error);
        return;
      }
      connection.authHandlers?.onError();
      connection.rejectRequests(error);
      await connection.disconnect();
      connection.socket.destroy();
    }),
  );
}
