import type {KafkajsBroker} from './kafkajs-cluster.ts';
import {kafkajsVersionError} from './kafkajs-version-error.ts';

/** A request of kafkajs, and how what is answered is read. */
export type KafkajsRequest = {
  readonly request: object;
  readonly requestTimeout?: number | undefined;
  readonly response: {decode(payload: Buffer): unknown; parse(decoded: unknown): unknown};
};

/**
 * Sends any request to a broker.
 *
 * @throws If this is not the version of kafkajs that it was written for.
 */
export function sendRequest(broker: KafkajsBroker, request: KafkajsRequest): Promise<unknown> {
  const symbols = Object.getOwnPropertySymbols(Object.getPrototypeOf(broker));
  const found = symbols.find(({description}) => description === 'private:Broker:sendRequest');
  if (found !== undefined) return broker[found]!(request);
  throw kafkajsVersionError();
}
