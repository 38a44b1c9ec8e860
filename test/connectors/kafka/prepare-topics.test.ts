import test from 'ava';
import {prepareTopics} from '../../../connectors/kafka/prepare-topics.ts';
import {SinkError, SourceError} from '../../../errors.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';

const names = {application: 'app', topic: 'in', output: 'out', deadLetters: 'dead'};

async function withTopics(topics: Readonly<Record<string, number>>): Promise<InMemoryKafka> {
  const kafka = new InMemoryKafka();
  for (const [topic, partitions] of Object.entries(topics)) await kafka.createTopic(topic, {partitions});
  return kafka;
}

test('prepareTopics creates the changelog with as many partitions as the input has', async t => {
  const kafka = await withTopics({in: 3, out: 2, dead: 1});
  t.deepEqual(await prepareTopics(kafka, names), {
    changelog: 'app.in.changelog',
    output: {topic: 'out', partitions: 2},
    deadLetters: {topic: 'dead', partitions: 1},
  });
  t.is(await kafka.partitionCount('app.in.changelog'), 3);
  t.is((await prepareTopics(kafka, {...names, deadLetters: undefined})).deadLetters, undefined);
});

test('prepareTopics refuses topics that are missing', async t => {
  const prepare = async (topics: Readonly<Record<string, number>>) => prepareTopics(await withTopics(topics), names);
  await t.throwsAsync(prepare({out: 1, dead: 1}), {instanceOf: SourceError, message: /topic "in" as it must exist/});
  await t.throwsAsync(prepare({in: 1, dead: 1}), {instanceOf: SinkError, message: /topic "out" as it must exist/});
  await t.throwsAsync(prepare({in: 1, out: 1}), {instanceOf: SinkError, message: /topic "dead" as it must exist/});
});

test('prepareTopics refuses an input whose number of partitions has changed', async t => {
  const kafka = await withTopics({in: 3, out: 1, dead: 1, 'app.in.changelog': 2});
  await t.throwsAsync(prepareTopics(kafka, names), {instanceOf: SourceError, message: /it was 2 and is 3/});
});
