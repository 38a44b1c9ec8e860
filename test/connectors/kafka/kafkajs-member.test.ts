import test from 'ava';
import {KafkajsMember} from '../../../connectors/kafka/kafkajs-member.ts';
import {AwayBroker} from './away-broker.ts';

const joining = {group: 'g', topic: 'in', sessionTimeoutMs: 10_000, stored: () => [], onAssigned: () => {}};

for (const silent of [true, false]) {
  const how = silent ? 'does not answer' : 'closes connections';

  test(`KafkajsMember does not join once its signal is aborted while the broker ${how}`, async t => {
    await using broker = await AwayBroker.listen({silent});
    const controller = new AbortController();
    const failures: Error[] = [];
    const onFailed = (error: Error) => failures.push(error);
    const waiting = KafkajsMember.join(broker.kafka, {...joining, onFailed, signal: controller.signal});
    await broker.met();
    const start = performance.now();
    controller.abort(new Error('waited enough'));
    await t.throwsAsync(waiting, {message: 'waited enough'});
    t.true(performance.now() - start < 4000);
    t.true(await broker.isLeftAlone());
    t.deepEqual(failures, []);
  });
}
