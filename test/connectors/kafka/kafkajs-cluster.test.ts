import test from 'ava';
import type {Kafka} from 'kafkajs';
import {kafkajsCluster} from '../../../connectors/kafka/kafkajs-cluster.ts';

test('kafkajsCluster says what to install where kafkajs is not what it was written for', t => {
  t.throws(() => kafkajsCluster({} as Kafka), {
    message: /kafkajs must be of version 2\.2\.4: .*; install kafkajs 2\.2\.4$/,
  });
});
