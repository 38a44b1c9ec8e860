import test from 'ava';
import {kafkajsCluster} from '../../../connectors/kafka/kafkajs-cluster.ts';
import {KafkajsReader} from '../../../connectors/kafka/kafkajs-reader.ts';
import {AwayBroker} from './away-broker.ts';

const fetching = {maxBytes: 1000, maxWaitMs: 100};

for (const silent of [true, false]) {
  const how = silent ? 'does not answer' : 'closes connections';

  for (const call of ['range', 'fetch'] as const) {
    test(`KafkajsReader ends "${call}" when its signal is aborted while the broker ${how}`, async t => {
      await using broker = await AwayBroker.listen({silent});
      const reader = new KafkajsReader(kafkajsCluster(broker.kafka), 'in', 0);
      const controller = new AbortController();
      const {signal} = controller;
      const waiting = call === 'range' ? reader.range({signal}) : reader.fetch(0n, {...fetching, signal});
      await broker.met();
      const start = performance.now();
      controller.abort(new Error('waited enough'));
      await t.throwsAsync(waiting as Promise<unknown>, {message: 'waited enough'});
      await reader[Symbol.asyncDispose]();
      t.true(performance.now() - start < 2000);
      t.true(await broker.isLeftAlone());
    });
  }

  test(`KafkajsReader ends what waits when it is closed while the broker ${how}, and connects no more`, async t => {
    await using broker = await AwayBroker.listen({silent});
    const reader = new KafkajsReader(kafkajsCluster(broker.kafka), 'in', 0);
    const waiting = reader.range();
    await broker.met();
    const start = performance.now();
    const message = /Cannot read partition 0 of topic "in" as its reader must be open/;
    await Promise.all([t.throwsAsync(waiting, {message}), reader[Symbol.asyncDispose]()]);
    t.true(performance.now() - start < 2000);
    await reader[Symbol.asyncDispose]();
    await t.throwsAsync(reader.fetch(0n, fetching), {message});
    t.true(await broker.isLeftAlone());
  });
}
