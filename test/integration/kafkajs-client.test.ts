import test from 'ava';
import kafkajs from 'kafkajs';
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
    groupOffset: async (groupId, topic, partition) => {
      const [found] = await admin.fetchOffsets({groupId, topics: [topic]});
      const offset = found?.partitions.find(entry => entry.partition === partition)?.offset;
      return offset === undefined ? undefined : BigInt(offset);
    },
  }),
  {name: 'KafkajsClient'},
);
