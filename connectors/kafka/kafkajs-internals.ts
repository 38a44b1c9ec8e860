import {createRequire} from 'node:module';
import {kafkajsVersionError} from './kafkajs-version-error.ts';
import type {KafkajsRequest} from './send-request.ts';

/** Writes fields as the protocol has them; those with `UVarInt` are of its flexible versions. */
export type Encoder = {
  writeBoolean(value: boolean): Encoder;
  writeInt32(value: number): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
  writeUVarIntArray(items: readonly Encoder[]): Encoder;
};

/** Reads fields one after the other. */
export type Decoder = {
  readInt16(): number;
  readInt32(): number;
  readInt64(): {toString(): string};
  readUVarInt(): number;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: () => T): T[] | null;
  readTaggedFields(): unknown;
};

/** Requests to one broker: those that wait until the broker takes more. */
export type RequestQueue = {
  readonly pending: readonly unknown[];
  /** In milliseconds since 1970. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
};

type Request = {protocol(options: {version: number}): (fields: object) => KafkajsRequest};

const require = createRequire(import.meta.url);
const Encoding = load('protocol/encoder') as new () => Encoder;
const Decoding = load('protocol/decoder') as new (payload: Buffer) => Decoder;
const {createErrorFromCode} = load('protocol/error') as {createErrorFromCode(code: number): Error};
const {requests} = load('protocol/requests') as {requests: {Produce: Request; Fetch: Request}};
const {prototype} = load('network/requestQueue') as {prototype: RequestQueue};

/** All modules of kafkajs 2.2.4 that are used although they are not its public interface. */
export const kafkajsInternals = {
  encoder: () => new Encoding(),
  decoder: (payload: Buffer) => new Decoding(payload),
  /** @throws The error that a number stands for, unless it is 0. */
  refuse: (code: number) => {
    if (code !== 0) throw createErrorFromCode(code);
  },
  requests,
  /** Of the requests of all connections. */
  requestQueue: prototype,
};

function load(path: string): unknown {
  try {
    return require(`kafkajs/src/${path}`);
  } catch (cause) {
    throw kafkajsVersionError(cause);
  }
}
