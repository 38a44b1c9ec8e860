import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {planRun} from '../../../cli/worker/plan-run.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';
import {ToyModel} from '../../integration/toy-model.ts';
import {WorkerBench, workerConfig} from './worker-bench.ts';

const folder = await mkdtemp(join(tmpdir(), 'palimpsest-plan-'));
test.after.always(() => rm(folder, {recursive: true, force: true}));
const stored = ['store.persistent=true', `store.folder=${join(folder, 'a/b')}`];

test('planRun shows what would be read and written, and writes nothing', async t => {
  const bench = await WorkerBench.open({partitions: 2});
  await bench.write({key: 'a', value: 'abc', partition: 1}, {key: 'a', value: 'abc', partition: 1});
  const config = workerConfig(...stored, 'input.undecodable=dead-letter');
  const {lines, problems} = await planRun(config, {client: bench.kafka, model: new ToyModel()});
  t.deepEqual(problems, []);
  const text = lines.map(line => line.join(': ')).join('\n');
  for (const part of [
    'Input: topic "in", 2 partitions',
    '  partition 0: offsets 0 to 0',
    'partition 1: offsets 0 to 3',
    'Output: topic "out", 1 partitions',
    'Dead letters: topic "letters"',
    'Changelog: topic "app.in.changelog", to be created',
    'Model: "toy"',
    'Delivery: exactly-once',
  ]) {
    t.true(text.includes(part), `${part} in\n${text}`);
  }
  t.is(await bench.kafka.partitionCount('app.in.changelog'), undefined);
  t.deepEqual(await readdir(folder), []);
});

test('planRun says what stands in the way', async t => {
  const file = join(await mkdtemp(join(tmpdir(), 'palimpsest-plan-')), 'file');
  await writeFile(file, '');
  t.teardown(() => rm(join(file, '..'), {recursive: true}));
  const config = workerConfig('input.undecodable=dead-letter', 'store.persistent=true', `store.folder=${file}/below`);
  const {problems} = await planRun(config, {client: new InMemoryKafka(), model: new ToyModel()});
  t.is(problems.length, 4);
  t.regex(problems[0]!, /"in" of input.topic does not exist/);
  t.regex(problems[1]!, /"out" of output.topic does not exist/);
  t.regex(problems[2]!, /"letters" of deadLetters.topic does not exist/);
  t.regex(problems[3]!, /of store.folder cannot be used: ".*file" is a file/);

  const bench = await WorkerBench.open({partitions: 2});
  await bench.kafka.createTopic('app.in.changelog', {partitions: 3});
  const plan = await planRun(workerConfig(), {client: bench.kafka, model: new ToyModel()});
  t.regex(plan.problems[0]!, /"in" has 2 partitions and its changelog 3/);
});
