import type {KafkajsBroker} from './kafkajs-cluster.ts';
import {kafkajsInternals} from './kafkajs-internals.ts';
import {sendRequest} from './send-request.ts';

export type TopicPartitions = {readonly topic: string; readonly partitions: readonly number[]};

/** Number of the request, which Kafka 2.8 brought. */
const describeProducersApi = 61;

const {encoder, decoder, refuse} = kafkajsInternals;

/**
 * Asks a broker in which of the partitions that it leads records of a producer wait for the mark of their transaction.
 *
 * @returns Topics of which there is such a partition; none if the broker is older than Kafka 2.8 and cannot tell.
 */
export async function openTransactions(
  leader: KafkajsBroker,
  asked: readonly TopicPartitions[],
  producerId: bigint,
): Promise<TopicPartitions[]> {
  if (leader.versions[describeProducersApi] === undefined) return [];
  const request = {
    apiKey: describeProducersApi,
    apiVersion: 0,
    apiName: 'DescribeProducers',
    // Tags of the header come first, those of the request last: there are none.
    encode: async () => encoder().writeUVarInt(0).writeUVarIntArray(asked.map(encodeTopic)).writeUVarInt(0),
  };
  const response = {decode, parse: (answer: unknown) => answer};
  const topics = (await sendRequest(leader, {request, response})) as Answer;
  return topics
    .map(({topic, partitions}) => ({
      topic,
      partitions: partitions
        .filter(({errorCode, producers}) => {
          refuse(errorCode);
          return producers.some(({id, openSince}) => id === producerId && openSince >= 0n);
        })
        .map(({partition}) => partition),
    }))
    .filter(({partitions}) => partitions.length > 0);
}

function encodeTopic({topic, partitions}: TopicPartitions) {
  return encoder()
    .writeUVarIntString(topic)
    .writeUVarIntArray(partitions.map(partition => encoder().writeInt32(partition)))
    .writeUVarInt(0);
}

type Answer = {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly errorCode: number;
    readonly producers: readonly {readonly id: bigint; readonly openSince: bigint}[];
  }[];
}[];

async function decode(payload: Buffer): Promise<Answer> {
  const fields = decoder(payload);
  const int64 = () => BigInt(fields.readInt64().toString());
  const producer = () => {
    const id = int64();
    // Epoch, last sequence number, when it last wrote, and the coordinator's epoch.
    fields.readInt32();
    fields.readInt32();
    fields.readInt64();
    fields.readInt32();
    // The first offset of an open transaction, or -1.
    const openSince = int64();
    fields.readTaggedFields();
    return {id, openSince};
  };
  const partition = () => {
    const number = fields.readInt32();
    const errorCode = fields.readInt16();
    // The error's message.
    fields.readUVarIntString();
    const producers = fields.readUVarIntArray(producer) ?? [];
    fields.readTaggedFields();
    return {partition: number, errorCode, producers};
  };
  fields.readTaggedFields();
  // For how long to ask for nothing.
  fields.readInt32();
  const topics = fields.readUVarIntArray(() => {
    const topic = fields.readUVarIntString()!;
    const partitions = fields.readUVarIntArray(partition) ?? [];
    fields.readTaggedFields();
    return {topic, partitions};
  });
  return topics ?? [];
}
