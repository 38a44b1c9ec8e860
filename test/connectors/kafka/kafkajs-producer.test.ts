import test from 'ava';
import kafkajs from 'kafkajs';
import {KafkajsProducer} from '../../../connectors/kafka/kafkajs-producer.ts';
import {AwayBroker} from './away-broker.ts';

for (const silent of [true, false]) {
  test(`KafkajsProducer is not opened once its signal is aborted while the broker ${silent ? 'does not answer' : 'closes connections'}`, async t => {
    await using broker = await AwayBroker.listen({silent});
    const controller = new AbortController();
    const opening = KafkajsProducer.open(broker.kafka, {
      transactionalId: 'id',
      topics: ['out'],
      transactionTimeoutMs: 10_000,
      compression: kafkajs.CompressionTypes.None,
      signal: controller.signal,
    });
    await broker.met();
    const start = performance.now();
    controller.abort(new Error('waited enough'));
    await t.throwsAsync(opening, {message: 'waited enough'});
    t.true(performance.now() - start < 2000);
    t.true(await broker.isLeftAlone());
  });
}
