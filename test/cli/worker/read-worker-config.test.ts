import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {parse} from 'yaml';
import {variableOf} from '../../../cli/config/read-config.ts';
import {readWorkerConfig} from '../../../cli/worker/read-worker-config.ts';
import {showWorkerConfig} from '../../../cli/worker/show-worker-config.ts';
import {workerFields} from '../../../cli/worker/worker-fields.ts';

const least = [
  'application: app',
  'kafka: {brokers: [a:1]}',
  'input: {topic: in}',
  'output: {topic: out}',
  'model: {folder: model}',
].join('\n');

const folder = await mkdtemp(join(tmpdir(), 'palimpsest-config-'));
test.after.always(() => rm(folder, {recursive: true, force: true}));

let files = 0;
async function read(yaml: string, options: Parameters<typeof readWorkerConfig>[1] = {environment: {}}) {
  const path = join(folder, `${files++}.yaml`);
  await writeFile(path, yaml);
  return readWorkerConfig(path, options);
}

test('readWorkerConfig needs no more than names, brokers, topics and a model', async t => {
  const {values} = await read(least);
  t.like(values, {application: 'app', 'reading.batch': 16, 'delivery.guarantee': 'exactly-once'});
  t.is(values['model.folder'], join(folder, 'model'));
  const message = (await t.throwsAsync(read(''), {instanceOf: TypeError})).message;
  for (const field of ['application', 'kafka.brokers', 'input.topic', 'output.topic', 'model.folder']) {
    t.true(message.includes(`must have "${field}"`), field);
  }
});

for (const [title, assignments, problem] of [
  ['dead letters without a topic', ['input.undecodable=dead-letter'], /input.undecodable needs "deadLetters.topic"/],
  [
    'one topic for two things',
    ['output.topic=in'],
    /output.topic must be another topic than input.topic: both are "in"/,
  ],
  ['a field of raw text', ['input.textField=a'], /input.textField needs "input.format" json or msgpack: it is raw/],
  [
    'a mechanism without a password',
    ['kafka.sasl.mechanism=plain', 'kafka.sasl.username=a'],
    /plain needs "kafka.sasl.password"/,
  ],
  ['oauthbearer without a token', ['kafka.sasl.mechanism=oauthbearer'], /oauthbearer needs "kafka.sasl.token"/],
  [
    'a username without a mechanism',
    ['kafka.sasl.username=a'],
    /kafka.sasl.username needs another "kafka.sasl.mechanism": it is missing/,
  ],
  ['a certificate without its key', ['kafka.tls.cert=a.pem'], /kafka.tls.cert needs "kafka.tls.key": it is missing/],
  ['a port that cannot be', ['http.port=65536'], /http.port must be a whole number from 0 to 65535/],
] as const) {
  test(`readWorkerConfig refuses ${title}`, async t => {
    await t.throwsAsync(read(least, {assignments, environment: {}}), {instanceOf: TypeError, message: problem});
  });
}

test('readWorkerConfig says that a file cannot be read', async t => {
  await t.throwsAsync(readWorkerConfig(join(folder, 'none.yaml')), {
    instanceOf: TypeError,
    message: /none.yaml" must be a file that can be read: ENOENT/,
  });
});

test('showWorkerConfig shows what is in force, and of secrets where they come from', async t => {
  const config = await read(`${least}\ndelivery: {checkpointEvery: 2s}`, {
    environment: {PALIMPSEST_KAFKA_SASL_PASSWORD: 'hunter2'},
    assignments: ['kafka.sasl.mechanism=plain', 'kafka.sasl.username=me', 'reading.batch=4'],
  });
  const shown = showWorkerConfig(config);
  t.notRegex(shown, /hunter2/);
  const parsed = parse(shown);
  t.like(parsed, {application: 'app', reading: {batch: 4, every: 'segment'}, delivery: {checkpointEvery: '2s'}});
  t.is(parsed.kafka.sasl.password, '<variable PALIMPSEST_KAFKA_SASL_PASSWORD>');
});

test('workerFields have variables of their own, and defaults that are right', async t => {
  const names = Object.keys(workerFields);
  t.is(new Set(names.map(variableOf)).size, names.length);
  t.true(names.length > 40);
  for (const [name, field] of Object.entries(workerFields)) {
    t.true(field.about.length > 8, name);
    if (!('default' in field)) continue;
    const writing = {from: 'file', folder: '/', environment: {}} as const;
    t.notThrows(() => field.kind(field.default, writing), name);
  }
});
