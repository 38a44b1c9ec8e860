import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {WorkerEvent} from '../../../connectors/kafka/index.ts';
import {InMemoryPartitionStores, KafkaWorker} from '../../../connectors/kafka/index.ts';
import {endHeader} from '../../../connectors/kafka/partition-source.ts';
import {MemoryMismatchError, SinkError, SourceError} from '../../../errors.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';
import {expectedMemory, expectedResults, toyDocuments} from '../../integration/toy-documents.ts';
import {type ToyWorkerOptions, toyWorker} from '../../integration/toy-pipeline.ts';
import {readResults, restoreAll} from '../../integration/toy-topics.ts';

const segmentLength = 1024;
const names = {application: 'app', topic: 'in', output: 'out'};

/** A cluster with documents in it. */
async function prepared({partitions = 2} = {}) {
  const kafka = new InMemoryKafka();
  await kafka.createTopic('in', {partitions});
  await kafka.createTopic('out', {partitions: 3});
  const {documents, records} = toyDocuments(1, {count: 12, minBytes: 300, maxBytes: 30_000});
  const producer = await kafka.openProducer('generator');
  const keys = [...documents.keys()];
  for (const {key, value, last} of records) {
    const headers: Record<string, string> = last ? {[endHeader]: '1'} : {};
    await producer.send('in', keys.indexOf(key) % partitions, [{key, value, headers}]);
  }
  await producer.commit();
  return {kafka, documents};
}

function running(kafka: InMemoryKafka, options: Partial<ToyWorkerOptions> = {}) {
  const events: WorkerEvent[] = [];
  const worker = toyWorker({
    ...names,
    client: kafka,
    stores: new InMemoryPartitionStores(),
    checkpointBytes: 20_000,
    checkpointMs: 50,
    ...options,
    model: {segmentLength, ...options.model},
    onEvent: event => events.push(event),
  });
  const done = worker.run();
  done.catch(() => {});
  const stop = (): Promise<void> => {
    worker.stop();
    return done;
  };
  return {events, done, stop};
}

async function finished(kafka: InMemoryKafka, count: number): Promise<void> {
  for (let waits = 0; waits < 3000; waits++) {
    const results = [...(await readResults(kafka, 'out')).values()];
    if (results.filter(list => list.at(-1)?.final).length >= count) return;
    await delay(20);
  }
  throw new Error('The documents are not read to their ends');
}

async function assertExact(
  t: ExecutionContext,
  kafka: InMemoryKafka,
  documents: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const results = await readResults(kafka, 'out');
  await using memories = await restoreAll(kafka, names);
  for (const [key, content] of documents) {
    t.deepEqual(results.get(key), expectedResults(content, segmentLength), key);
    const {segments, pendingTokens} = expectedMemory(content, segmentLength);
    const record = await memories.get(key);
    t.deepEqual([record?.segments, [...record!.pendingTokens]], [segments, pendingTokens], key);
  }
}

for (const call of ['openProducer', 'send', 'commit', 'fetch'] as const) {
  for (const when of call === 'openProducer' || call === 'fetch'
    ? (['before'] as const)
    : (['before', 'after'] as const)) {
    test(`KafkaWorker is exact when "${call}" fails ${when} it is done, each of the first times`, async t => {
      // Each round, the calls go well one time more before one fails.
      for (let round = 0; round < 6; round++) {
        const {kafka, documents} = await prepared();
        const worker = running(kafka);
        for (let faults = 0; faults < 3; faults++) {
          await delay(round * 5);
          kafka.fail(call === 'fetch' ? {when, call, topic: 'in'} : {when, call});
        }
        await finished(kafka, documents.size);
        kafka.heal();
        await worker.stop();
        await assertExact(t, kafka, documents);
      }
    });
  }
}

test('KafkaWorker is exact when workers come and go, and compaction runs all the while', async t => {
  const {kafka, documents} = await prepared({partitions: 4});
  let worker = running(kafka, {model: {stepMs: 2}});
  for (let round = 0; round < 6; round++) {
    await delay(60);
    kafka.compact('app.in.changelog');
    const next = running(kafka, {model: {stepMs: 2}});
    await delay(60);
    await worker.stop();
    worker = next;
  }
  await finished(kafka, documents.size);
  await worker.stop();
  kafka.compact('app.in.changelog');
  await assertExact(t, kafka, documents);
});

test('KafkaWorker gives up a partition when another producer has shut it out, and takes it again if it is still its own', async t => {
  const {kafka, documents} = await prepared({partitions: 1});
  const worker = running(kafka, {model: {stepMs: 5}});
  while (!worker.events.some(({type}) => type === 'committed')) await delay(5);
  await kafka.openProducer('app.in.0');
  await finished(kafka, documents.size);
  await worker.stop();
  t.true(worker.events.some(({type}) => type === 'fenced'));
  await assertExact(t, kafka, documents);
});

test('KafkaWorker closes the store of a partition although something else cannot be closed', async t => {
  const {kafka} = await prepared({partitions: 1});
  let closed = 0;
  const stores = new InMemoryPartitionStores();
  const worker = new KafkaWorker({
    ...names,
    client: kafka,
    stores: {
      stored: () => stores.stored(),
      discard: () => stores.discard(),
      open: async () => {
        const store = await stores.open();
        const close = store[Symbol.asyncDispose].bind(store);
        return Object.assign(store, {
          [Symbol.asyncDispose]: () => {
            closed++;
            return close();
          },
        });
      },
    },
    pipeline: ({own}) => {
      own({[Symbol.asyncDispose]: () => Promise.reject(new Error('cannot be closed'))});
      throw new TypeError('cannot be built');
    },
  });
  await t.throwsAsync(worker.run(), {instanceOf: TypeError, message: 'cannot be built'});
  t.is(closed, 1);
});

test('KafkaWorker refuses topics that are missing', async t => {
  const kafka = new InMemoryKafka();
  await t.throwsAsync(running(kafka).done, {instanceOf: SourceError, message: /topic "in" as it must exist/});
  await kafka.createTopic('in', {partitions: 1});
  await t.throwsAsync(running(kafka).done, {instanceOf: SinkError, message: /topic "out" as it must exist/});
});

test('KafkaWorker refuses a changelog that another model wrote', async t => {
  const {kafka, documents} = await prepared();
  const worker = running(kafka);
  await finished(kafka, documents.size);
  await worker.stop();
  await t.throwsAsync(running(kafka, {fingerprint: 'another'}).done, {instanceOf: MemoryMismatchError});
});

test('KafkaWorker refuses numbers and names that cannot be', t => {
  const options = {...names, client: new InMemoryKafka(), stores: new InMemoryPartitionStores()};
  t.throws(() => toyWorker({...options, checkpointMs: 0}), {
    instanceOf: RangeError,
    message: /checkpointMs must be a positive integer/,
  });
  t.throws(() => toyWorker({...options, application: 'a b'}), {instanceOf: TypeError, message: /application must be/});
});

for (const when of ['before', 'after'] as const) {
  test(`KafkaWorker stops in peace when its last commit fails ${when} it is done, and leaves nothing undone`, async t => {
    const {kafka, documents} = await prepared({partitions: 1});
    const worker = running(kafka, {model: {stepMs: 5}, checkpointMs: 10_000, checkpointBytes: 1 << 30});
    while (!worker.events.some(({type}) => type === 'started')) await delay(5);
    await delay(20);
    kafka.fail({when, call: 'commit'});
    await t.notThrowsAsync(worker.stop());
    const heir = running(kafka);
    await finished(kafka, documents.size);
    await heir.stop();
    await assertExact(t, kafka, documents);
  });
}

test('KafkaWorker stops in peace when another one has taken its partition meanwhile', async t => {
  const {kafka, documents} = await prepared({partitions: 1});
  const worker = running(kafka, {model: {stepMs: 5}, checkpointMs: 10_000});
  while (!worker.events.some(({type}) => type === 'started')) await delay(5);
  await delay(20);
  await kafka.openProducer('app.in.0');
  await t.notThrowsAsync(worker.stop());
  const heir = running(kafka);
  await finished(kafka, documents.size);
  await heir.stop();
  await assertExact(t, kafka, documents);
});
