import test from 'ava';
import {testKafkaClient} from '../conformance/kafka-client.ts';
import {InMemoryKafka} from './in-memory-kafka.ts';

testKafkaClient(
  test,
  async () => {
    const client = new InMemoryKafka();
    return {
      client,
      deleteRecords: async (...where) => client.deleteRecords(...where),
      deleteTopic: topic => client.deleteTopic(topic),
      groupOffset: async (...where) => client.groupOffset(...where),
    };
  },
  {name: 'InMemoryKafka'},
);
