import type {KafkajsBroker} from './kafkajs-cluster.ts';
import {kafkajsInternals} from './kafkajs-internals.ts';
import {sendRequest} from './send-request.ts';

const metadataApi = 3;
/** The first that tells ids, of Kafka 2.8. */
const version = 10;

const {encoder, decoder, refuse} = kafkajsInternals;

/**
 * Asks for the id that a topic got when it was made, which no other topic has, of whatever name.
 *
 * @returns `undefined` if the broker is too old to know.
 */
export async function readTopicId(broker: KafkajsBroker, topic: string): Promise<string | undefined> {
  if ((broker.versions[metadataApi]?.maxVersion ?? 0) < version) return undefined;
  const noId = encoder().writeInt32(0).writeInt32(0).writeInt32(0).writeInt32(0);
  const request = {
    apiKey: metadataApi,
    apiVersion: version,
    apiName: 'Metadata',
    // Tags of the header come first, those of a topic and of the request last: there are none.
    encode: async () =>
      encoder()
        .writeUVarInt(0)
        .writeUVarIntArray([noId.writeUVarIntString(topic).writeUVarInt(0)])
        // Whether to make the topic, and to tell what may be done with the cluster and with topics.
        .writeBoolean(false)
        .writeBoolean(false)
        .writeBoolean(false)
        .writeUVarInt(0),
  };
  const response = {decode, parse: (answer: unknown) => answer};
  const {errorCode, id} = (await sendRequest(broker, {request, response})) as Answer;
  refuse(errorCode);
  return id === 0n ? undefined : id.toString(16).padStart(32, '0');
}

type Answer = {readonly errorCode: number; readonly id: bigint};

async function decode(payload: Buffer): Promise<Answer> {
  const fields = decoder(payload);
  fields.readTaggedFields();
  // For how long to ask for nothing.
  fields.readInt32();
  // Brokers: number, host, port, rack.
  fields.readUVarIntArray(() => {
    fields.readInt32();
    fields.readUVarIntString();
    fields.readInt32();
    fields.readUVarIntString();
    fields.readTaggedFields();
  });
  // The cluster, and its controller.
  fields.readUVarIntString();
  fields.readInt32();
  // Of the only topic, its name between the two.
  fields.readUVarInt();
  const errorCode = fields.readInt16();
  fields.readUVarIntString();
  const [high, low] = [fields.readInt64(), fields.readInt64()].map(half => BigInt.asUintN(64, BigInt(half.toString())));
  return {errorCode, id: (high! << 64n) | low!};
}
