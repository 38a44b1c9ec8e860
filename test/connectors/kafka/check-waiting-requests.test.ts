import {createRequire} from 'node:module';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {checkWaitingRequests} from '../../../connectors/kafka/check-waiting-requests.ts';

type RequestQueue = {
  push(request: {entry: object; expectResponse: boolean; sendRequest: () => void}): void;
  fulfillRequest(answer: {correlationId: number; payload: Buffer; size: number}): void;
  maybeThrottle(milliseconds: number): void;
  checkPendingRequests(): void;
  destroy(): void;
};

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => RequestQueue;

/** A queue for at most one request at a time, the numbers of those that were sent, and how often it was looked for others. */
function openQueue() {
  const sent: number[] = [];
  const logger = {debug: () => {}, warn: () => {}};
  const queue = new RequestQueue({maxInFlightRequests: 1, requestTimeout: 1000, clientId: '', broker: '', logger});
  const looked = {times: 0};
  const check = queue.checkPendingRequests.bind(queue);
  queue.checkPendingRequests = () => {
    looked.times++;
    check();
  };
  const push = (correlationId: number) =>
    queue.push({
      entry: {apiKey: 0, apiName: '', apiVersion: 0, correlationId, resolve: () => {}, reject: () => {}},
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    });
  const answer = (correlationId: number) => queue.fulfillRequest({correlationId, payload: Buffer.alloc(0), size: 0});
  return {queue, sent, looked, push, answer};
}

test('Requests of kafkajs that wait are looked for only while there are some', async t => {
  checkWaitingRequests();
  const {queue, sent, looked, push, answer} = openQueue();
  t.teardown(() => queue.destroy());
  push(1);
  push(2);
  t.deepEqual(sent, [1]);
  answer(1);
  t.deepEqual(sent, [1, 2]);
  answer(2);
  await delay(50);
  const before = looked.times;
  await delay(100);
  t.is(looked.times, before);
});

test('Requests of kafkajs wait no longer than the broker wishes', async t => {
  checkWaitingRequests();
  const {queue, sent, push, answer} = openQueue();
  t.teardown(() => queue.destroy());
  queue.maybeThrottle(50);
  push(1);
  t.deepEqual(sent, []);
  while (sent.length === 0) await delay(5);
  answer(1);
  push(2);
  t.deepEqual(sent, [1, 2]);
});
