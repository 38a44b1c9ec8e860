import type {KafkajsBroker} from './kafkajs-cluster.ts';
import type {KafkajsRequest} from './send-request.ts';

export type Frame = {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  /** The request's fields, behind {@link frameHeaderBytes} bytes that are to be filled in, and the client's id. */
  readonly bytes: Buffer;
  readonly response: KafkajsRequest['response'];
};

/** In front of the client's id: the length of all that follows (4 bytes), the request's number (2), its version (2), and a number of its own (4). */
export const frameHeaderBytes = 12;

/**
 * Sends a request that is laid out as it goes over the wire. kafkajs would copy it twice, each time into new memory.
 *
 * @throws Like a request of kafkajs; the bytes may then still be on their way out, and must not be changed any more.
 */
export async function sendFrame(
  broker: KafkajsBroker,
  {apiKey, apiName, apiVersion, bytes, response}: Frame,
): Promise<unknown> {
  try {
    // Authenticates again where that is due.
    await broker.connect();
    const connection = await broker.connectionPool.getConnection();
    connection.failIfNotConnected();
    const correlationId = connection.nextCorrelationId();
    bytes.writeInt32BE(bytes.length - 4, 0);
    bytes.writeInt16BE(apiKey, 4);
    bytes.writeInt16BE(apiVersion, 6);
    bytes.writeInt32BE(correlationId, 8);
    const {payload} = await new Promise<{payload: Buffer}>((resolve, reject) => {
      connection.requestQueue.push({
        entry: {apiKey, apiName, apiVersion, correlationId, resolve, reject},
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => connection.socket.write(bytes),
      });
    });
    const decoded = (await response.decode(payload)) as {readonly clientSideThrottleTime?: number};
    connection.requestQueue.maybeThrottle(decoded.clientSideThrottleTime ?? 0);
    return response.parse(decoded);
  } catch (error) {
    if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect();
    throw error;
  }
}
