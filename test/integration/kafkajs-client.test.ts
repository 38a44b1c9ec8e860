import {setTimeout as delay} from 'node:timers/promises';
import * as zlib from 'node:zlib';
import test from 'ava';
import kafkajs from 'kafkajs';
import {type CompressionName, compressionNames} from '../../connectors/kafka/compression.ts';
import {KafkajsClient} from '../../connectors/kafka/kafkajs-client.ts';
import {testKafkaClient} from '../conformance/kafka-client.ts';
import {openBrokers} from './open-brokers.ts';

const cluster = await openBrokers();
const {brokers} = cluster;
const client = await KafkajsClient.open({brokers});
const admin = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).admin();
await admin.connect();
test.after.always(async () => {
  await client[Symbol.asyncDispose]();
  await admin.disconnect();
  await cluster[Symbol.asyncDispose]();
});

testKafkaClient(
  test.serial,
  async () => ({
    client,
    deleteRecords: async (topic, partition, before) => {
      // Lets the admin client learn who leads the partition.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({topic, partitions: [{partition, offset: before.toString()}]});
    },
    deleteTopic: async topic => {
      await admin.deleteTopics({topics: [topic]});
      while ((await client.partitionCount(topic)) !== undefined) await delay(100);
    },
    groupOffset: async (groupId, topic, partition) => {
      const [found] = await admin.fetchOffsets({groupId, topics: [topic]});
      const offset = found?.partitions.find(entry => entry.partition === partition)?.offset;
      return offset === undefined ? undefined : BigInt(offset);
    },
  }),
  {name: 'KafkajsClient'},
);

const content = Buffer.from('to be compressed '.repeat(5000));

async function throughTopic(options: {written: CompressionName; stored: CompressionName}): Promise<Buffer> {
  const topic = `compression-${options.written}-${options.stored}-${Date.now()}`;
  await client.createTopic(topic, {
    partitions: 1,
    config: {'compression.type': options.stored === 'none' ? 'uncompressed' : options.stored},
  });
  await using compressing = await KafkajsClient.open({brokers, compression: options.written});
  const producer = await compressing.openProducer(topic, {topics: [topic], transactionTimeoutMs: 10_000});
  await producer.send(topic, 0, [{key: 'a', value: content}]);
  await producer.commit();
  await producer[Symbol.asyncDispose]();
  await using reader = await client.openReader(topic, 0);
  for (;;) {
    const {messages} = await reader.fetch(0n, {maxBytes: 1 << 20, maxWaitMs: 500});
    if (messages.length > 0) return Buffer.from(messages[0]!.value!);
  }
}

for (const name of compressionNames) {
  test.serial(`KafkajsClient reads what the broker compressed with ${name}`, async t => {
    t.deepEqual(await throughTopic({written: 'none', stored: name}), content);
  });

  const missing = name === 'zstd' && !('zstdCompressSync' in zlib);
  test.serial(`KafkajsClient ${missing ? 'refuses to write' : 'writes what the broker can read:'} ${name}`, async t => {
    if (missing) {
      await t.throwsAsync(KafkajsClient.open({brokers, compression: name}), {
        message: /Node\.js must be 22\.15 or later/,
      });
    } else {
      t.deepEqual(await throughTopic({written: name, stored: name === 'gzip' ? 'none' : 'gzip'}), content);
    }
  });
}

test.serial('KafkajsClient says plainly that no broker answers', async t => {
  await t.throwsAsync(KafkajsClient.open({brokers: ['127.0.0.1:1']}), {message: /Cannot connect to 127\.0\.0\.1:1 as/});
});
