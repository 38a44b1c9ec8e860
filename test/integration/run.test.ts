import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {KafkajsClient} from '../../connectors/kafka/index.ts';
import {runCommand} from '../cli/run-command.ts';
import {type StartedCommand, startCommand} from '../cli/start-command.ts';
import {temporaryFolder} from '../memory-store/temporary-folder.ts';
import {openBrokers} from './open-brokers.ts';
import {type ToyRecord, toyDocuments} from './toy-documents.ts';
import {newName, produceRecords, readResults, readTopic} from './toy-topics.ts';

const segmentLength = 64;
const {path: cwd, remove} = await temporaryFolder();
const cluster = await openBrokers();
const {brokers} = cluster;
const client = await KafkajsClient.open({brokers});
const started: StartedCommand[] = [];
const sizes = '--layers 1 --width 8 --feed-forward 8 --memory 16 --compressed-memory 8';
const init = ['init', 'model', '--preset', 'tiny', ...sizes.split(' '), '--segment', String(segmentLength)];
const made = await runCommand(init, {cwd});
test.after.always(async () => {
  for (const {process} of started) process.kill('SIGKILL');
  await client[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await remove();
});

/** Topics and a configuration of their own. */
async function prepared({partitions = 2, format = 'raw', reading = '{}'} = {}) {
  const application = newName();
  const names = {application, topic: `${application}-in`, output: `${application}-out`, letters: `${application}-dead`};
  await client.createTopic(names.topic, {partitions});
  for (const topic of [names.output, names.letters]) await client.createTopic(topic, {partitions: 1});
  const file = `${application}.yaml`;
  await writeFile(
    join(cwd, file),
    `
application: ${application}
kafka: {brokers: [${brokers.join()}]}
input:
  topic: ${names.topic}
  undecodable: dead-letter
  format: ${format}
output: {topic: ${names.output}}
deadLetters: {topic: ${names.letters}}
model: {folder: model, engine: wasm}
store: {folder: memories/${application}}
delivery: {checkpointEvery: 300ms, sessionTimeout: 6s}
http: {port: 0}
log: {level: debug}
reading: ${reading}
`,
  );
  return {...names, file};
}

function start(file: string, ...args: string[]): StartedCommand {
  const command = startCommand(['run', file, ...args], {cwd});
  started.push(command);
  return command;
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 270_000; !(await condition()); await delay(100)) {
    if (Date.now() > deadline) {
      throw new Error(`Waited in vain for ${what}:\n${started.at(-1)?.said().slice(-2000)}`);
    }
  }
}

const finals = async (output: string): Promise<number> =>
  [...(await readResults(client, output)).values()].filter(results => results.at(-1)?.final).length;

/** Each segment of each document once and in order, and the document behind them. */
async function assertExact(t: ExecutionContext, output: string, documents: ReadonlyMap<string, Buffer>) {
  const results = await readResults(client, output);
  for (const [key, content] of documents) {
    const segments = Math.ceil(content.length / segmentLength);
    const expected = Array.from({length: segments}, (_, i) => ({
      segments: i + 1,
      tokens: Math.min(content.length, (i + 1) * segmentLength),
      final: false,
    }));
    t.deepEqual(
      results.get(key)?.map(({segments, tokens, final}) => ({segments, tokens, final})),
      [...expected, {segments, tokens: content.length, final: true}],
      key,
    );
  }
}

function logOf(stderr: string): Record<string, unknown>[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
}

test.serial('The command "init" makes the model that these tests read with', t => {
  t.is(made.code, 0, made.stderr);
});

test.serial(
  'The command "run" reads documents, serves metrics, commits at SIGTERM, and goes on where it stopped',
  async t => {
    const {file, topic, output, application} = await prepared();
    const {documents, records} = toyDocuments(1, {count: 8, minBytes: 200, maxBytes: 4000});
    const half = Math.floor(records.length / 2);
    await produceRecords(brokers, {topic, records: records.slice(0, half)});
    const first = start(file);
    await first.says('"msg":"committed"');
    const url = /"url":"(?<url>[^"]+)"/.exec(first.said())!.groups!.url!;
    t.is((await fetch(`${url}/readyz`)).status, 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    t.regex(metrics, new RegExp(`^palimpsest_partitions\\{state="reading",topic="${topic}"\\} 2$`, 'm'));
    t.regex(metrics, /^palimpsest_tokens_total\{.*\} \d+$/m);
    first.process.kill('SIGTERM');
    const stopped = await first.ended;
    t.is(stopped.code, 0, stopped.stderr);
    const entries = logOf(stopped.stderr);
    t.like(entries.at(-1), {level: 'info', msg: 'left the group; everything read is committed'});
    const committed = entries.find(({msg}) => msg === 'committed')!;
    t.is(committed.topic, topic);
    t.is(typeof committed.partition, 'number');
    t.is(typeof committed.offset, 'number');
    t.is(stopped.stdout, '');

    await produceRecords(brokers, {topic, records: records.slice(half)});
    const second = start(file);
    await until(async () => (await finals(output)) === documents.size, 'all documents');
    second.process.kill('SIGINT');
    t.is((await second.ended).code, 0);
    await assertExact(t, output, documents);
    t.deepEqual((await readdir(join(cwd, 'memories', application))).sort(), ['partition-0', 'partition-1']);
  },
);

test.serial(
  'The command "run" loses and doubles nothing when it is stopped at work, whether or not in time',
  async t => {
    const {file, topic, output} = await prepared({partitions: 1});
    const {documents, records} = toyDocuments(2, {count: 6, minBytes: 10_000, maxBytes: 30_000});
    await produceRecords(brokers, {topic, records});
    for (const [signals, deadline, code] of [
      [1, '10m', 0],
      [1, '1ms', 143],
      [2, '10m', 143],
    ] as const) {
      // So slow, and so much that waits, that stopping takes a while.
      const slow = ['model.engine=cpu', 'reading.batch=1', 'reading.bufferedSegments=400', `stop.deadline=${deadline}`];
      const command = start(file, ...slow.flatMap(assignment => ['--set', assignment]));
      await command.says('"msg":"reading"');
      await delay(500);
      command.process.kill('SIGTERM');
      if (signals === 2) {
        await command.says('committing what was read');
        command.process.kill('SIGTERM');
      }
      const ended = await command.ended;
      t.is(ended.code, code, ended.stderr);
    }
    const last = start(file);
    await until(async () => (await finals(output)) === documents.size, 'all documents');
    last.process.kill('SIGTERM');
    t.is((await last.ended).code, 0);
    await assertExact(t, output, documents);
  },
);

test.serial('The command "run --dry-run" shows the plan and writes nothing', async t => {
  const {file, topic, output, application} = await prepared();
  await produceRecords(brokers, {topic, records: [{key: 'a', value: Buffer.from('abc'), last: true}]});
  const plan = await runCommand(['run', file, '--dry-run'], {cwd});
  t.is(plan.code, 0, plan.stderr);
  t.regex(plan.stdout, new RegExp(`^Input +topic "${topic}", 2 partitions, values raw$`, 'm'));
  t.regex(plan.stdout, /^ {2}partition [01] +offsets 0 to 1$/m);
  t.regex(plan.stdout, /^Changelog +topic ".*", to be created$/m);
  t.regex(plan.stdout, /Nothing stands in the way\n$/);
  t.is(await client.partitionCount(`${application}.${topic}.changelog`), undefined);
  t.deepEqual(await readTopic(client, output), []);
  t.false((await readdir(join(cwd, 'memories')).catch((): string[] => [])).includes(application));
  const wrong = await runCommand(['run', file, '--dry-run', '--set', 'output.topic=none'], {cwd});
  t.is(wrong.code, 1);
  t.regex(wrong.stdout, /Problem +Topic "none" of output.topic does not exist: create it\nA run would fail\n$/);
});

test.serial('The command "dead-letters" shows what could not be decoded, and has it read once', async t => {
  const {file, topic, output, letters} = await prepared({format: 'json'});
  const record = (key: string, value: string): ToyRecord => ({key, value: Buffer.from(value), last: true});
  const right = JSON.stringify({text: 'x'.repeat(100)});
  const records = [record('good', right), record('bad', JSON.stringify({body: 'y'.repeat(70)}))];
  await produceRecords(brokers, {topic, records});
  const first = start(file);
  await until(async () => (await readTopic(client, letters)).length === 1, 'the dead letter');
  await until(async () => (await finals(output)) === 1, 'the document that can be decoded');
  first.process.kill('SIGTERM');
  const {stderr} = await first.ended;
  t.like(
    logOf(stderr).find(({msg}) => msg === 'put a message into the dead letters'),
    {level: 'warn', topic, document: 'bad'},
  );

  const listed = await runCommand(['dead-letters', 'list', file], {cwd});
  t.is(listed.code, 0, listed.stderr);
  t.regex(listed.stdout, /"bad" .*its "text" is missing\n1 dead letter, 0 replayed\n$/);
  const json = await runCommand(['dead-letters', 'list', file, '--json'], {cwd});
  t.like(JSON.parse(json.stdout), {
    key: 'bad',
    error: 'DecodeError',
    last: true,
    replayed: false,
    content: String(records[1]!.value),
  });
  const replayed = await runCommand(['dead-letters', 'replay', file], {cwd});
  t.regex(replayed.stdout, /Replayed 1 dead letter into topic/);
  const again = await runCommand(['dead-letters', 'replay', file], {cwd});
  t.regex(again.stdout, /Replayed 0 dead letters into topic/);
  t.regex((await runCommand(['dead-letters', 'list', file], {cwd})).stdout, /^0 dead letters, 1 replayed\n$/);

  const second = start(file, '--set', 'input.textField=body');
  await until(async () => (await finals(output)) === 2, 'the replayed document');
  second.process.kill('SIGTERM');
  t.is((await second.ended).code, 0);
  await assertExact(t, output, new Map([['bad', Buffer.from('y'.repeat(70))]]));
});

test.serial('The command "run" emits what waits of quiet documents and forgets those that expire', async t => {
  const {file, topic, output, application} = await prepared({
    partitions: 1,
    reading: '{idle: 500ms, expireAfter: 3s}',
  });
  const record = (key: string): ToyRecord => ({key, value: Buffer.from('z'.repeat(100)), last: false});
  await produceRecords(brokers, {topic, records: [record('a')]});
  const running = start(file);
  const of = async (key: string): Promise<number[]> => {
    const results = (await readResults(client, output)).get(key) ?? [];
    return results.map(({tokens}) => tokens);
  };
  await until(async () => (await of('a')).length === 2, 'the unfilled segment');
  t.deepEqual(await of('a'), [64, 100]);
  await delay(6500);
  await produceRecords(brokers, {topic, records: [record('b')]});
  await until(async () => (await of('b')).length === 2, 'the other document');
  const changelog = `${application}.${topic}.changelog`;
  await until(
    async () =>
      (await readTopic(client, changelog)).some(({key, value}) => String(key) === '0:a' && value === undefined),
    'the tombstone',
  );
  await produceRecords(brokers, {topic, records: [record('a')]});
  await until(async () => (await of('a')).length === 4, 'the new document');
  t.deepEqual((await of('a')).slice(2), [64, 100]);
  running.process.kill('SIGTERM');
  t.is((await running.ended).code, 0);
});

test.serial(
  'The command "run" says what is wrong with a configuration, and with a broker that is not there',
  async t => {
    const {file} = await prepared();
    const wrong = await runCommand(['run', file, '--set', 'reading.batch=none'], {cwd});
    t.is(wrong.code, 2);
    t.regex(
      wrong.stderr,
      /--set reading.batch reading.batch must be a whole number of at least 1: current value is "none"/,
    );
    const away = await runCommand(['run', file, '--set', 'kafka.brokers=127.0.0.1:1'], {cwd});
    t.is(away.code, 1);
    t.like(logOf(away.stderr).at(-1), {level: 'error'});
    t.regex(away.stderr, /Cannot connect to 127.0.0.1:1 as/);
  },
);
