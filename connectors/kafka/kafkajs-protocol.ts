import {createRequire} from 'node:module';

/** Writes fields as the protocol has them; those with `UVarInt` are of its flexible versions. */
export type Encoder = {
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
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: () => T): T[] | null;
  readTaggedFields(): unknown;
};

const load = createRequire(import.meta.url);
const NewEncoder = load('kafkajs/src/protocol/encoder') as new () => Encoder;
const NewDecoder = load('kafkajs/src/protocol/decoder') as new (payload: Buffer) => Decoder;
const {createErrorFromCode} = load('kafkajs/src/protocol/error') as {createErrorFromCode(code: number): Error};

/** What kafkajs 2.2.4 speaks the protocol with, for requests that it does not know. */
export const kafkajsProtocol = {
  encoder: () => new NewEncoder(),
  decoder: (payload: Buffer) => new NewDecoder(payload),
  /** @throws The error that a number stands for, unless it is 0. */
  refuse: (code: number) => {
    if (code !== 0) throw createErrorFromCode(code);
  },
};
