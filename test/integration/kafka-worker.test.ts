import {execFileSync} from 'node:child_process';
import {truncate} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import kafkajs from 'kafkajs';
import type {WorkerEvent} from '../../connectors/kafka/index.ts';
import {InMemoryPartitionStores, KafkajsClient, LmdbPartitionStores} from '../../connectors/kafka/index.ts';
import {SourceError} from '../../errors.ts';
import {temporaryFolder} from '../memory-store/temporary-folder.ts';
import {FaultProxy} from './fault-proxy.ts';
import {KafkaCluster} from './kafka-cluster.ts';
import {expectedMemory, expectedResults, type ToyRecord, toyDocuments} from './toy-documents.ts';
import {ToyFleet} from './toy-fleet.ts';
import {type ToyWorkerOptions, toyWorker} from './toy-pipeline.ts';
import {newName, produceRecords, readResults, readTopic, restoreAll} from './toy-topics.ts';

const segmentLength = 1024;

const proxy = await FaultProxy.listen();
const cluster = await KafkaCluster.start({
  proxyPorts: [proxy.port],
  ...(process.env.KAFKA_VERSION && {version: process.env.KAFKA_VERSION}),
});
proxy.target = cluster.proxiedPorts[0]!;
const {brokers} = cluster;
const client = await KafkajsClient.open({brokers});
/** Ends workers of tests that failed. */
const ending = new AbortController();
const ended: Promise<void>[] = [];
test.after.always(async () => {
  ending.abort();
  await Promise.allSettled(ended);
  await client[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function topics(partitions = 1) {
  const application = newName();
  const names = {application, topic: `${application}-in`, output: `${application}-out`};
  await client.createTopic(names.topic, {partitions});
  await client.createTopic(names.output, {partitions: 1});
  return names;
}

/** A worker in this process, and what it tells. */
function running(options: Omit<ToyWorkerOptions, 'client' | 'stores'> & Partial<ToyWorkerOptions>) {
  const events: WorkerEvent[] = [];
  const worker = toyWorker({
    client,
    stores: new InMemoryPartitionStores(),
    checkpointMs: 200,
    sessionTimeoutMs: 3000,
    ...options,
    model: {segmentLength, ...options.model},
    onEvent: event => events.push(event),
  });
  const controller = new AbortController();
  const done = worker.run({signal: AbortSignal.any([ending.signal, controller.signal])});
  done.catch(() => {});
  ended.push(done);
  const seen = (type: WorkerEvent['type']) => events.filter(event => event.type === type);
  const stop = (): Promise<void> => {
    worker.stop();
    return done;
  };
  /** Ends it without a last checkpoint. */
  const cut = () => controller.abort(new Error('cut off'));
  return {seen, done, stop, cut};
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waits = 0; !(await condition()); waits++) {
    if (waits > 3600) throw new Error(`Waited in vain for ${what}`);
    await delay(50);
  }
}

const finals = async (output: string, count: number): Promise<boolean> =>
  [...(await readResults(client, output)).values()].filter(results => results.at(-1)?.final).length >= count;

/** Each result of each document once and in order, and the memories that belong to them. */
async function assertExact(
  t: {deepEqual(actual: unknown, expected: unknown, message?: string): unknown},
  {
    application,
    topic,
    output,
    documents,
  }: {application: string; topic: string; output: string; documents: Map<string, Buffer>},
): Promise<void> {
  const results = await readResults(client, output);
  await using memories = await restoreAll(client, {application, topic});
  for (const [key, content] of documents) {
    t.deepEqual(results.get(key), expectedResults(content, segmentLength), key);
    const {segments, pendingTokens} = expectedMemory(content, segmentLength);
    const record = await memories.get(key);
    t.deepEqual([record?.segments, [...record!.pendingTokens]], [segments, pendingTokens], key);
  }
}

test.serial('KafkaWorker reads documents, stops when told to, and goes on where it stopped', async t => {
  const names = await topics(2);
  const {documents, records} = toyDocuments(1, {count: 20, minBytes: 500, maxBytes: 20_000});
  const half = Math.floor(records.length / 2);
  await produceRecords(brokers, {topic: names.topic, records: records.slice(0, half)});
  const first = running(names);
  await until(() => first.seen('committed').length > 0, 'a checkpoint');
  await first.stop();
  await produceRecords(brokers, {topic: names.topic, records: records.slice(half)});
  const second = running(names);
  await until(() => finals(names.output, documents.size), 'all documents');
  await second.stop();
  await assertExact(t, {...names, documents});
  const [message] = await readTopic(client, names.output);
  const headers = Object.fromEntries(Object.entries(message!.headers).map(([name, value]) => [name, String(value)]));
  t.regex(headers['palimpsest-id']!, new RegExp(`^toy-fingerprint:${names.topic}/[01]@\\d+:[\\w-]{22}:1$`));
  t.is(headers['palimpsest-model'], 'toy-fingerprint');
  const admin = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).admin();
  await admin.connect();
  const [offsets] = await admin.fetchOffsets({groupId: names.application, topics: [names.topic]});
  t.is(
    offsets!.partitions.reduce((sum, {offset}) => sum + Number(offset), 0),
    records.length,
  );
  await admin.disconnect();
});

test.serial('KafkaWorker shuts out a zombie that wakes up in the middle of a checkpoint', async t => {
  const names = await topics();
  const {documents, records} = toyDocuments(2, {count: 10, minBytes: 20_000, maxBytes: 60_000});
  await using fleet = await ToyFleet.create({
    ...names,
    brokers: [`127.0.0.1:${proxy.port}`],
    checkpointMs: 200,
    sessionTimeoutMs: 3000,
    model: {segmentLength, stepMs: 20},
  });
  fleet.start(0);
  await until(() => fleet.events.some(({type}) => type === 'started'), 'the worker');
  await produceRecords(brokers, {topic: names.topic, records});
  await until(() => fleet.events.some(({type}) => type === 'committed'), 'a checkpoint');
  // Frozen while its commit is on the way: the broker has not seen it when others take over.
  proxy.pending.push({api: 'EndTxn', kind: 'hold-request'});
  await until(() => proxy.pending.length === 0, 'the next commit');
  fleet.freeze(0);
  fleet.start(1);
  await until(() => fleet.events.some(({type, worker}) => type === 'committed' && worker === 1), 'the take-over');
  proxy.release();
  const before = fleet.events.length;
  fleet.thaw(0);
  // Whichever it learns first: that it is shut out, or that the group has given its partition away.
  const woken = () => fleet.events.slice(before).filter(({worker}) => worker === 0);
  await until(() => woken().some(({type}) => type === 'fenced' || type === 'stopped'), 'the zombie to give up');
  await until(() => finals(names.output, documents.size), 'all documents');
  t.deepEqual(
    woken().filter(({type}) => type === 'committed'),
    [],
  );
  for (const index of [1, 0]) t.is(await fleet.stop(index), 0, fleet.complaints.join('\n'));
  await assertExact(t, {...names, documents});
});

for (const [kind, what] of [
  ['lose-reply', 'was made'],
  ['lose-request', 'was not made'],
] as const) {
  test.serial(`KafkaWorker finds out whether a commit of unknown outcome was made when it ${what}`, async t => {
    const names = await topics();
    const {documents, records} = toyDocuments(3, {count: 10, minBytes: 5000, maxBytes: 20_000});
    await using proxied = await KafkajsClient.open({brokers: [`127.0.0.1:${proxy.port}`]});
    const worker = running({...names, client: proxied, model: {stepMs: 2}});
    await until(() => worker.seen('started').length > 0, 'the worker');
    proxy.pending.push({api: 'EndTxn', kind});
    await produceRecords(brokers, {topic: names.topic, records});
    await until(() => finals(names.output, documents.size), 'all documents');
    t.is(proxy.pending.length, 0);
    // What was committed can be read before the worker knows.
    await until(() => worker.seen('retrying').length > 0, 'the failure');
    await worker.stop();
    await assertExact(t, {...names, documents});
  });
}

test.serial(
  'KafkaWorker restores a local store that was torn, and reads no more of the changelog than a whole one lacks',
  async t => {
    const names = await topics();
    const {path, remove} = await temporaryFolder();
    t.teardown(remove);
    const stores = new LmdbPartitionStores(path);
    const {documents, records} = toyDocuments(4, {count: 20, minBytes: 5000, maxBytes: 20_000});
    const part = (from: number, to: number) =>
      produceRecords(brokers, {topic: names.topic, records: records.slice(from * records.length, to * records.length)});
    const whole = running({...names, stores, model: {memoryNumbers: 100_000}});
    await part(0, 1 / 3);
    await until(() => whole.seen('committed').length > 0, 'a checkpoint');
    await delay(500);
    await whole.stop();

    const again = running({...names, stores, model: {memoryNumbers: 100_000}});
    await until(() => again.seen('started').length > 0, 'the second run');
    const tail = again.seen('restored')[0] as Extract<WorkerEvent, {type: 'restored'}>;
    await part(1 / 3, 2 / 3);
    await delay(1000);
    await again.stop();
    t.true(tail.documents <= 20, `${tail.documents}`);

    await truncate(join(path, 'partition-0', 'data.mdb'), 50_000);
    const torn = running({...names, stores, model: {memoryNumbers: 100_000}});
    await part(2 / 3, 1);
    await until(() => finals(names.output, documents.size), 'all documents');
    await torn.stop();
    t.is(torn.seen('discarded').length, 1);
    await assertExact(t, {...names, documents});
  },
);

test.serial('KafkaWorker joins its group again when no broker could say who coordinates it', async t => {
  const names = await topics(2);
  await using proxied = await KafkajsClient.open({brokers: [`127.0.0.1:${proxy.port}`]});
  const first = running({...names, client: proxied});
  await until(() => first.seen('started').length === 2, 'the first worker');
  // Asked for when the second one joins.
  proxy.pending.push({api: 'FindCoordinator', kind: 'lose-request'});
  const second = running(names);
  await until(() => second.seen('started').length > 0, 'the second worker');
  t.is(proxy.pending.length, 0);
  await until(() => first.seen('assigned').length > 1, 'the first worker to join again');
  await first.stop();
  await second.stop();
});

test.serial('KafkaWorker joins its group as soon as brokers can be reached', async t => {
  const names = await topics();
  await using proxied = await KafkajsClient.open({brokers: [`127.0.0.1:${proxy.port}`]});
  proxy.pending.push({api: 'JoinGroup', kind: 'lose-request'}, {api: 'FindCoordinator', kind: 'lose-request'});
  const worker = running({...names, client: proxied});
  await until(() => worker.seen('started').length > 0, 'the worker');
  t.is(proxy.pending.length, 0);
  await worker.stop();
});

test.serial('KafkaWorker joins its group again when the connection breaks after the group has dropped it', async t => {
  const names = await topics();
  await using proxied = await KafkajsClient.open({brokers: [`127.0.0.1:${proxy.port}`]});
  const worker = running({...names, client: proxied});
  await until(() => worker.seen('started').length > 0, 'the worker');
  proxy.holding = 'Heartbeat';
  await delay(4500);
  proxy.pending.push({api: 'JoinGroup', kind: 'lose-request'});
  proxy.holding = undefined;
  proxy.release();
  await until(() => proxy.pending.length === 0, 'the broken connection');
  await until(() => worker.seen('assigned').length > 1, 'the worker to join again');
  // Nobody else had the partition, so work on it went on.
  t.is(worker.seen('started').length, 1);
  await worker.stop();
});

for (const [how, leave, back] of [
  ['does not answer', () => cluster.signal(0, 'SIGSTOP'), () => cluster.signal(0, 'SIGCONT')],
  [
    'cannot be reached',
    () => {
      proxy.target = 1;
      proxy.cut();
    },
    () => {
      proxy.target = cluster.proxiedPorts[0]!;
    },
  ],
] as const) {
  test.serial(`KafkaWorker ends its run at once when told to while the broker ${how}`, async t => {
    const names = await topics();
    await using proxied = await KafkajsClient.open({brokers: [`127.0.0.1:${proxy.port}`]});
    const {records} = toyDocuments(9, {count: 20, minBytes: 1000, maxBytes: 20_000});
    await produceRecords(brokers, {topic: names.topic, records});
    const reading = running({...names, client: proxied, model: {segmentLength, stepMs: 20}});
    await until(() => reading.seen('committed').length > 0, 'a checkpoint');
    leave();
    const beginning = running({...names, client: proxied, application: newName()});
    await delay(1000);
    const start = performance.now();
    reading.cut();
    beginning.cut();
    try {
      await Promise.all([reading, beginning].map(({done}) => t.throwsAsync(done, {message: 'cut off'})));
      t.true(performance.now() - start < 6000, `${performance.now() - start}`);
    } finally {
      back();
    }
  });
}

test.serial('KafkaWorker stops with an error when records were deleted that it has not read', async t => {
  const names = await topics();
  const {records} = toyDocuments(5, {count: 5, minBytes: 5000, maxBytes: 20_000});
  await produceRecords(brokers, {topic: names.topic, records});
  const first = running(names);
  await until(() => first.seen('committed').length > 0, 'a checkpoint');
  await delay(500);
  await first.stop();
  await produceRecords(brokers, {topic: names.topic, records});
  const admin = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(names.topic);
  const offset = String(records.length + 2);
  await admin.deleteTopicRecords({topic: names.topic, partitions: [{partition: 0, offset}]});
  await admin.disconnect();
  const before = (await readTopic(client, names.output)).length;
  const error = await t.throwsAsync(running(names).done, {instanceOf: SourceError});
  t.regex(error!.message, /has been deleted/);
  t.is((await readTopic(client, names.output)).length, before);
});

test.serial(
  'KafkaWorker stays in its group while it restores for three times the session timeout, and reads nothing before',
  async t => {
    const names = await topics();
    const {documents, records} = toyDocuments(6, {count: 30, minBytes: 5000, maxBytes: 20_000});
    await produceRecords(brokers, {topic: names.topic, records: records.slice(0, -5)});
    const first = running({...names, model: {memoryNumbers: 250_000}});
    await until(() => first.seen('committed').length > 0, 'a checkpoint');
    await delay(1000);
    await first.stop();
    await produceRecords(brokers, {topic: names.topic, records: records.slice(-5)});
    const results = (await readTopic(client, names.output)).length;

    // Reading the changelog takes half a second more each time.
    const slow = new Proxy(client, {
      get(target, name) {
        if (name !== 'openReader') return (target[name as keyof typeof target] as () => unknown).bind(target);
        return async (topic: string, partition: number) => {
          const reader = await target.openReader(topic, partition);
          if (!topic.endsWith('.changelog')) return reader;
          return {
            range: () => reader.range(),
            topicId: () => reader.topicId(),
            fetch: async (offset: bigint, options: Parameters<typeof reader.fetch>[1]) => {
              const fetched = await reader.fetch(offset, {...options, maxBytes: 1});
              await delay(Math.ceil(9500 / 30));
              return fetched;
            },
            [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
          };
        };
      },
    });
    const restoring = running({...names, client: slow, model: {memoryNumbers: 250_000}});
    await until(() => restoring.seen('restored').length > 0, 'the restore');
    const {ms} = restoring.seen('restored')[0] as Extract<WorkerEvent, {type: 'restored'}>;
    t.true(ms > 9000, `${ms}`);
    t.is(restoring.seen('assigned').length, 1);
    t.is((await readTopic(client, names.output)).length, results);
    await until(() => finals(names.output, documents.size), 'all documents');
    t.is(restoring.seen('assigned').length, 1);
    await restoring.stop();
    await assertExact(t, {...names, documents});
  },
);

test.serial('KafkaWorker keeps its memory and its membership while brokers do not take what it writes', async t => {
  const names = await topics();
  const megabyte = 1 << 20;
  const records: ToyRecord[] = [];
  for (let i = 0; i < 200; i++) {
    records.push({key: `document-${i % 20}`, value: Buffer.alloc(megabyte / 2, 0x20 + (i % 90)), last: i >= 180});
  }
  await using proxied = await KafkajsClient.open({brokers: [`127.0.0.1:${proxy.port}`]});
  const model = {segmentLength: 64 * 1024, memoryNumbers: 500_000};
  const worker = running({...names, client: proxied, fetchBytes: megabyte, model});
  await until(() => worker.seen('started').length > 0, 'the worker');
  proxy.holding = 'Produce';
  await produceRecords(brokers, {topic: names.topic, records});
  await delay(1000);
  const before = residentBytes();
  await delay(10_000);
  t.true(residentBytes() - before < 150 * megabyte, `${(residentBytes() - before) / megabyte} MiB more`);
  t.is(worker.seen('committed').length, 0);
  t.is(worker.seen('assigned').length, 1);
  proxy.holding = undefined;
  proxy.release();
  await until(() => finals(names.output, 20), 'all documents');
  t.is(worker.seen('assigned').length, 1);
  await worker.stop();
});

function residentBytes(): number {
  return process.memoryUsage().rss;
}

test.serial('KafkaWorker forgets a document at its tombstone, in the changelog as well', async t => {
  const names = await topics();
  const producer = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const value = Buffer.alloc(3000, 'a');
  const worker = running({...names, model: {memoryNumbers: 400_000}});
  await producer.send({
    topic: names.topic,
    messages: [
      {key: 'kept', value},
      {key: 'gone', value},
    ],
  });
  await until(() => worker.seen('committed').length > 0, 'a checkpoint');
  await producer.send({
    topic: names.topic,
    messages: [
      {key: 'gone', value: null},
      {key: 'again', value},
      {key: 'again', value: null},
      {key: 'again', value: Buffer.alloc(1024, 'b')},
    ],
  });
  await until(async () => (await readResults(client, names.output)).get('again')?.length === 5, 'the results');
  await worker.stop();
  await producer.disconnect();
  const results = await readResults(client, names.output);
  t.deepEqual(results.get('gone'), expectedResults(value, segmentLength));
  t.deepEqual(results.get('again'), [
    ...expectedResults(value, segmentLength),
    ...expectedResults(Buffer.alloc(1024, 'b'), segmentLength).slice(0, 1),
  ]);
  await using memories = await restoreAll(client, names);
  t.is(await memories.get('gone'), undefined);
  t.is((await memories.get('kept'))?.segments, 2);
  t.is((await memories.get('again'))?.segments, 1);
  // Every message that a memory of several chunks had is removed.
  const latest = new Map(
    (await readTopic(client, `${names.application}.${names.topic}.changelog`)).map(({key, value}) => [
      String(key),
      value,
    ]),
  );
  t.true([...latest.keys()].filter(key => key.endsWith(':gone')).length >= 4);
  t.deepEqual(
    [...latest].filter(([key, value]) => key.endsWith(':gone') && value !== undefined),
    [],
  );
});

test.serial('KafkaWorker writes what cannot be decoded to the dead letters in the same transaction', async t => {
  const names = await topics();
  const deadLetters = `${names.application}-dead`;
  await client.createTopic(deadLetters, {partitions: 1});
  const producer = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  await producer.send({
    topic: names.topic,
    messages: [
      {value: 'no key'},
      {key: 'good', value: Buffer.alloc(1024, 'a')},
      {key: Buffer.of(0xff), value: 'no text'},
    ],
  });
  await producer.disconnect();
  const worker = running({...names, deadLetters});
  await until(async () => (await readTopic(client, deadLetters)).length === 2, 'the dead letters');
  await worker.stop();
  const letters = await readTopic(client, deadLetters);
  t.deepEqual(
    letters.map(({value}) => String(value)),
    ['no key', 'no text'],
  );
  t.deepEqual(
    letters.map(({headers}) => String(headers['palimpsest-position'])),
    [`${names.topic}/0@0`, `${names.topic}/0@2`],
  );
  t.regex(String(letters[0]!.headers['palimpsest-error']), /its key is empty/);
  t.is((await readResults(client, names.output)).get('good')?.length, 1);
});

test.serial('KafkaWorker shows results before their checkpoint when they need only arrive at least once', async t => {
  const names = await topics();
  const worker = running({...names, guarantee: 'at-least-once', checkpointMs: 60_000, model: {}});
  await until(() => worker.seen('started').length > 0, 'the worker');
  const {documents, records} = toyDocuments(7, {count: 8, minBytes: 5000, maxBytes: 20_000});
  await produceRecords(brokers, {topic: names.topic, records});
  await until(async () => (await readTopic(client, names.output)).length > 10, 'results');
  t.is(worker.seen('committed').length, 0);
  await worker.stop();
  await assertExact(t, {...names, documents});
});

test.serial('KafkaWorker leaves no process behind', t => {
  // Guards the other tests: brokers and workers are ended by the number of their process.
  const children = execFileSync('ps', ['--ppid', String(process.pid), '-o', 'args=']).toString();
  t.notRegex(children, /toy-worker-process/);
  t.pass();
});
