import test from 'ava';
import type {KafkajsBroker} from '../../../connectors/kafka/kafkajs-cluster.ts';
import {sendRequest} from '../../../connectors/kafka/send-request.ts';

test('sendRequest says what to install where kafkajs is not what it was written for', t => {
  const request = {request: {}, response: {decode: () => {}, parse: () => {}}};
  t.throws(() => sendRequest({} as KafkajsBroker, request), {
    message: /kafkajs must be of version 2\.2\.4: .*; install kafkajs 2\.2\.4$/,
  });
});
