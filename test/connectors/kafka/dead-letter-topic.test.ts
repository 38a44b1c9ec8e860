import test from 'ava';
import {DeadLetterTopic} from '../../../connectors/kafka/dead-letter-topic.ts';
import {WorkerBench, workerConfig} from '../../cli/worker/worker-bench.ts';
import {readTopic} from '../../integration/toy-topics.ts';

for (const [when, left] of [
  ['before', 1],
  ['after', 0],
] as const) {
  test(`DeadLetterTopic replays each letter once when the commit fails ${when} it is done`, async t => {
    const bench = await WorkerBench.open();
    await bench.write({key: 'a', value: 'no JSON'});
    const running = bench.start(workerConfig('input.format=json', 'input.undecodable=dead-letter'));
    await bench.until(async () => (await readTopic(bench.kafka, 'letters')).length === 1, 'the dead letter');
    await running.stop();
    const letters = new DeadLetterTopic(bench.kafka, 'letters');
    bench.kafka.fail({when, call: 'commit'});
    await t.throwsAsync(letters.replay({input: 'in', application: 'app'}), {message: /made to fail/});
    t.is(await letters.replay({input: 'in', application: 'app'}), left);
    t.is((await readTopic(bench.kafka, 'in')).length, 2);
  });
}

test('DeadLetterTopic refuses letters of another topic, and a topic that is not there', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'no JSON'});
  const running = bench.start(workerConfig('input.format=json', 'input.undecodable=dead-letter'));
  await bench.until(async () => (await readTopic(bench.kafka, 'letters')).length === 1, 'the dead letter');
  await running.stop();
  const letters = new DeadLetterTopic(bench.kafka, 'letters');
  await t.throwsAsync(letters.replay({input: 'out', application: 'app'}), {
    message: /of in\/0@0 as it must have come from topic "out"/,
  });
  await t.throwsAsync(new DeadLetterTopic(bench.kafka, 'none').replay({input: 'in', application: 'app'}), {
    message: /topic "none" must exist/,
  });
});
