import kafkajs from 'kafkajs';
import type {FetchedMessage, KafkaClient} from '../../connectors/kafka/kafka-client.ts';
import {endHeader} from '../../connectors/kafka/partition-source.ts';
import {restoreStore} from '../../connectors/kafka/restore-store.ts';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import type {ToyRecord, ToyResult} from './toy-documents.ts';

/** Names that no other test has. */
export function newName(): string {
  return `toy-${process.pid.toString(36)}-${(Date.now() % 1e9).toString(36)}-${names++}`;
}
let names = 0;

/** Writes records with a plain producer of kafkajs. */
export async function produceRecords(
  brokers: readonly string[],
  {topic, records}: {topic: string; records: readonly ToyRecord[]},
): Promise<void> {
  const producer = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  for (let start = 0, end = 0; start < records.length; start = end) {
    let bytes = 0;
    do bytes += records[end++]!.value.length;
    while (end < records.length && bytes + records[end]!.value.length < 600_000);
    const messages = records.slice(start, end).map(({key, value, last}) => ({
      key,
      value,
      headers: last ? {[endHeader]: '1'} : {},
    }));
    await producer.send({topic, acks: -1, messages});
  }
  await producer.disconnect();
}

/** All committed messages of a topic, partition after partition. */
export async function readTopic(client: KafkaClient, topic: string): Promise<FetchedMessage[]> {
  const messages: FetchedMessage[] = [];
  const partitions = (await client.partitionCount(topic))!;
  for (let partition = 0; partition < partitions; partition++) {
    const reader = await client.openReader(topic, partition);
    const {startOffset, endOffset} = await reader.range();
    for (let offset = startOffset; offset < endOffset; ) {
      const fetched = await reader.fetch(offset, {maxBytes: 1 << 20, maxWaitMs: 100});
      messages.push(...fetched.messages);
      offset = fetched.nextOffset;
    }
    await reader[Symbol.asyncDispose]();
  }
  return messages;
}

/** The results of each document in the order in which they can be read. */
export async function readResults(client: KafkaClient, topic: string): Promise<Map<string, ToyResult[]>> {
  const results = new Map<string, ToyResult[]>();
  for (const {key, value} of await readTopic(client, topic)) {
    const id = Buffer.from(key!).toString();
    const {segments, tokens, final, embedding} = JSON.parse(Buffer.from(value!).toString()) as ToyResult;
    const known = results.get(id) ?? [];
    results.set(id, known);
    known.push({segments, tokens, final, embedding: embedding.map(Math.fround)});
  }
  return results;
}

/** The memories of all partitions as a new worker would restore them. */
export async function restoreAll(client: KafkaClient, {application, topic}: {application: string; topic: string}) {
  const local = new InMemoryStore();
  const changelog = `${application}.${topic}.changelog`;
  const partitions = (await client.partitionCount(changelog))!;
  for (let partition = 0; partition < partitions; partition++) {
    const reader = await client.openReader(changelog, partition);
    const source = `${topic}/${partition}`;
    const {signal} = new AbortController();
    await restoreStore({local, reader, changelog, partition, source, fingerprint: undefined, signal});
    await reader[Symbol.asyncDispose]();
  }
  return local;
}
