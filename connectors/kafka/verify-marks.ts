import type {KafkajsBroker, KafkajsCluster} from './kafkajs-cluster.ts';

/**
 * Has `verify` called before a transaction begins if the marks of the one before it may be missing: on the connection on which a
 * coordinator has ended a transaction, it lets the next one begin only when all marks are written, but one that was started again since
 * may not.
 *
 * @param verify Given the producer's id; what it throws is thrown by whoever begins the transaction.
 */
export function verifyMarks(cluster: KafkajsCluster, verify: (producerId: bigint) => Promise<void>): KafkajsCluster {
  const find = cluster.findGroupCoordinator.bind(cluster);
  /** The connection on which the last transaction was ended, until another one has begun. */
  let endedOn: object | undefined;
  return Object.assign(cluster, {
    async findGroupCoordinator(request: {readonly groupId: string; readonly coordinatorType?: number}) {
      const coordinator = await find(request);
      const {endTxn, addPartitionsToTxn} = Object.getPrototypeOf(coordinator) as KafkajsBroker;
      return Object.assign(coordinator, {
        async endTxn(fields: Parameters<typeof endTxn>[0]) {
          await endTxn.call(coordinator, fields);
          endedOn = connectionOf(coordinator);
        },
        async addPartitionsToTxn(fields: Parameters<typeof addPartitionsToTxn>[0]) {
          if (endedOn !== undefined && connectionOf(coordinator) !== endedOn) {
            await verify(BigInt(fields.producerId));
            endedOn = undefined;
          }
          // Nothing is waited for in between, so that it is the same connection.
          await addPartitionsToTxn.call(coordinator, fields);
          endedOn = undefined;
        },
      });
    },
  });
}

/** The socket of all requests but fetches, if it is open. */
function connectionOf({connectionPool}: KafkajsBroker): object | undefined {
  const [connection] = connectionPool.pool;
  return connection?.isConnected() ? connection.socket : undefined;
}
