import test from 'ava';
import {KafkajsTopics} from '../../../connectors/kafka/kafkajs-topics.ts';
import {PipelineError} from '../../../errors.ts';

const never = () => new Promise<never>(() => {});

test.serial('KafkajsTopics does not wait without end until brokers know a topic that it has made', async t => {
  // Each look takes 20 seconds of its patience.
  const {now} = performance;
  let skipped = 0;
  performance.now = () => now.call(performance) + skipped;
  t.teardown(() => {
    performance.now = now;
  });
  const topics = new KafkajsTopics({
    createTopics: async () => true,
    fetchTopicMetadata: async () => {
      skipped += 20_000;
      throw Object.assign(new Error('unknown'), {type: 'UNKNOWN_TOPIC_OR_PARTITION'});
    },
  });
  await t.throwsAsync(topics.createTopic('new', {partitions: 1}), {
    instanceOf: PipelineError,
    message: /Cannot create topic "new" as brokers must know it/,
  });
});

for (const call of ['createTopics', 'fetchTopicMetadata'] as const) {
  test.serial(`KafkajsTopics stops to wait for "${call}" when its signal is aborted`, async t => {
    const controller = new AbortController();
    const {signal} = controller;
    const topics = new KafkajsTopics({createTopics: async () => true, fetchTopicMetadata: never, [call]: never});
    const waiting = [topics.createTopic('new', {partitions: 1, signal}), topics.partitionCount('new', {signal})];
    controller.abort(new Error('waited enough'));
    for (const each of waiting) await t.throwsAsync(each as Promise<unknown>, {message: 'waited enough'});
  });
}
