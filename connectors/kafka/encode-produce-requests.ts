import {encodeRecordBatch, type RecordToWrite} from './encode-record-batch.ts';
import type {KafkajsCluster} from './kafkajs-cluster.ts';
import {kafkajsInternals} from './kafkajs-internals.ts';
import {ReusedBuffer} from './reused-buffer.ts';
import {frameHeaderBytes, sendFrame} from './send-frame.ts';

/** What kafkajs's producer asks a broker for. */
type ProduceFields = {
  readonly transactionalId: string;
  /** A number of 64 bits, which kafkajs may hold as an object. */
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly acks: number;
  readonly timeout: number;
  readonly compression: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence: number;
      readonly messages: readonly RecordToWrite[];
    }[];
  }[];
};

const apiVersion = 7;

const protocol = kafkajsInternals.requests.Produce.protocol({version: apiVersion});

/**
 * Lets what a transactional producer of kafkajs writes be encoded by {@link encodeRecordBatch}, and sent as it is. A producer makes one
 * request at a time, and each is encoded where the one before it was: as much new memory for each would have garbage collected ten times
 * a checkpoint.
 */
export function encodeProduceRequests(cluster: KafkajsCluster): KafkajsCluster {
  const find = cluster.findBroker.bind(cluster);
  let memory = newMemory();
  return Object.assign(cluster, {
    async findBroker(options: {nodeId: string}) {
      const broker = await find(options);
      const produce = async (fields: ProduceFields): Promise<unknown> => {
        const {clientId} = broker.connectionPool.pool[0]!;
        const bytes = await encodeRequest(fields, clientId, memory);
        const {response} = protocol({...fields, topicData: []});
        try {
          return await sendFrame(broker, {apiKey: 0, apiName: 'Produce', apiVersion, bytes, response});
        } catch (error) {
          // The socket may hold the bytes still.
          memory = newMemory();
          throw error;
        }
      };
      return Object.assign(broker, {produce});
    },
  });
}

type Memory = {readonly batches: ReusedBuffer; readonly requests: ReusedBuffer};

function newMemory(): Memory {
  return {batches: new ReusedBuffer(), requests: new ReusedBuffer()};
}

/**
 * Behind the frame's header the client's id (its length in 2 bytes, and it); then version 7: transactional id (likewise), acknowledgements (2
 * bytes), timeout (4), number of topics (4), and of each its name, the number of partitions (4), and of each its number (4), the length of
 * its records (4), and these.
 */
async function encodeRequest(
  {transactionalId, producerId, producerEpoch, acks, timeout, compression, topicData}: ProduceFields,
  clientId: string,
  {batches, requests}: Memory,
): Promise<Buffer> {
  const parts = [Buffer.alloc(frameHeaderBytes), text(clientId), text(transactionalId), int16(acks), int32(timeout)];
  parts.push(int32(topicData.length));
  batches.clear();
  for (const {topic, partitions} of topicData) {
    parts.push(text(topic), int32(partitions.length));
    for (const {partition, firstSequence, messages} of partitions) {
      const records = await encodeRecordBatch(
        {
          records: messages,
          compression,
          transactional: true,
          producerId: BigInt(String(producerId)),
          producerEpoch,
          firstSequence,
        },
        length => batches.take(length),
      );
      parts.push(int32(partition), int32(records.length), records);
    }
  }
  requests.clear();
  const request = requests.take(parts.reduce((sum, {length}) => sum + length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(request, at);
  return request;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
