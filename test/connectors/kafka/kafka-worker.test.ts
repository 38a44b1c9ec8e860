import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {WorkerEvent} from '../../../connectors/kafka/index.ts';
import {InMemoryPartitionStores, KafkaWorker, LmdbPartitionStores} from '../../../connectors/kafka/index.ts';
import type {JoinOptions, KafkaCallOptions, KafkaClient} from '../../../connectors/kafka/kafka-client.ts';
import {endHeader} from '../../../connectors/kafka/partition-source.ts';
import {MemoryMismatchError, SinkError, SourceError} from '../../../errors.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';
import {expectedMemory, expectedResults, toyDocuments} from '../../integration/toy-documents.ts';
import {type ToyWorkerOptions, toyWorker} from '../../integration/toy-pipeline.ts';
import {readResults, readTopic, restoreAll} from '../../integration/toy-topics.ts';
import {temporaryFolder} from '../../memory-store/temporary-folder.ts';

const segmentLength = 1024;
const forgotten = Buffer.alloc(2500, 'f');
const names = {application: 'app', topic: 'in', output: 'out'};

/** A cluster with documents in it. */
async function prepared({partitions = 2} = {}) {
  const kafka = new InMemoryKafka();
  await kafka.createTopic('in', {partitions});
  await kafka.createTopic('out', {partitions: 3});
  await kafka.createTopic('dead', {partitions: 1});
  const {documents, records} = toyDocuments(1, {count: 12, minBytes: 300, maxBytes: 30_000});
  const producer = await kafka.openProducer('generator');
  const keys = [...documents.keys()];
  const ended = {[endHeader]: '1'};
  let letters = 0;
  for (const [i, {key, value, last}] of records.entries()) {
    await producer.send('in', keys.indexOf(key) % partitions, [{key, value, headers: last ? ended : {}}]);
    // What cannot be decoded, and a document that is forgotten and begins anew, leave no memory that tells they were read.
    if (i % 4 !== 0) continue;
    await producer.send('in', 0, [{key: '', value: Buffer.from(`letter ${letters++}`)}]);
    await producer.send('in', 0, [{key: 'forgotten', value: forgotten}]);
    await producer.send('in', 0, [{key: 'forgotten', value: undefined}]);
  }
  await producer.commit();
  return {kafka, expected: {documents, letters}};
}

function running(kafka: KafkaClient, options: Partial<ToyWorkerOptions> = {}) {
  const events: WorkerEvent[] = [];
  const worker = toyWorker({
    ...names,
    client: kafka,
    stores: new InMemoryPartitionStores(),
    checkpointBytes: 20_000,
    checkpointMs: 50,
    deadLetters: 'dead',
    ...options,
    model: {segmentLength, ...options.model},
    onEvent: event => events.push(event),
  });
  const controller = new AbortController();
  const done = worker.run({signal: controller.signal});
  done.catch(() => {});
  const stop = (): Promise<void> => {
    worker.stop();
    return done;
  };
  /** Ends it without a last checkpoint. */
  const cut = () => controller.abort(new Error('cut off'));
  return {events, done, stop, cut};
}

/** Waits until a worker has committed all of the input. */
async function finished(kafka: InMemoryKafka): Promise<void> {
  const partitions = (await kafka.partitionCount('in'))!;
  for (let partition = 0, waits = 0; partition < partitions; waits++) {
    const {endOffset} = await (await kafka.openReader('in', partition)).range();
    if (kafka.groupOffset('app', 'in', partition) === endOffset) partition++;
    else if (waits < 3000) await delay(20);
    else throw new Error(`Partition ${partition} is not read to its end`);
  }
}

type Expected = {
  readonly documents: ReadonlyMap<string, Buffer>;
  /** Messages that cannot be decoded, and lives of the document "forgotten". */
  readonly letters: number;
};

async function assertExact(t: ExecutionContext, kafka: InMemoryKafka, {documents, letters}: Expected): Promise<void> {
  const results = await readResults(kafka, 'out');
  await using memories = await restoreAll(kafka, names);
  for (const [key, content] of documents) {
    t.deepEqual(results.get(key), expectedResults(content, segmentLength), key);
    const {segments, pendingTokens} = expectedMemory(content, segmentLength);
    const record = await memories.get(key);
    t.deepEqual([record?.segments, [...record!.pendingTokens]], [segments, pendingTokens], key);
  }
  const lives = Array.from({length: letters}, () => expectedResults(forgotten, segmentLength)).flat();
  t.deepEqual(results.get('forgotten'), lives);
  t.is(await memories.get('forgotten'), undefined);
  t.deepEqual(
    (await readTopic(kafka, 'dead')).map(({value}) => String(value)),
    Array.from({length: letters}, (_, i) => `letter ${i}`),
  );
}

for (const call of ['openProducer', 'send', 'commit', 'fetch'] as const) {
  for (const when of call === 'openProducer' || call === 'fetch'
    ? (['before'] as const)
    : (['before', 'after'] as const)) {
    test(`KafkaWorker is exact when "${call}" fails ${when} it is done, each of the first times`, async t => {
      // Each round, the calls go well one time more before one fails.
      for (let round = 0; round < 6; round++) {
        const {kafka, expected} = await prepared();
        const worker = running(kafka);
        for (let faults = 0; faults < 3; faults++) {
          await delay(round * 5);
          kafka.fail(call === 'fetch' ? {when, call, topic: 'in'} : {when, call});
        }
        await finished(kafka);
        kafka.heal();
        await worker.stop();
        await assertExact(t, kafka, expected);
      }
    });
  }
}

test('KafkaWorker is exact when workers come and go, and compaction runs all the while', async t => {
  const {kafka, expected} = await prepared({partitions: 4});
  let worker = running(kafka, {model: {stepMs: 2}});
  for (let round = 0; round < 6; round++) {
    await delay(60);
    kafka.compact('app.in.changelog');
    const next = running(kafka, {model: {stepMs: 2}});
    await delay(60);
    await worker.stop();
    worker = next;
  }
  await finished(kafka);
  await worker.stop();
  kafka.compact('app.in.changelog');
  await assertExact(t, kafka, expected);
});

test('KafkaWorker restores what its local store lacks, and no more, when workers take turns and are cut off', async t => {
  const {kafka, expected} = await prepared({partitions: 1});
  const folders = [await temporaryFolder(), await temporaryFolder()];
  for (const {remove} of folders) t.teardown(remove);
  let changelogOffset = 0n;
  for (let round = 0; round < 4; round++) {
    const stores = new LmdbPartitionStores(folders[round % 2]!.path);
    const {events, done, cut} = running(kafka, {stores, checkpointBytes: 8000, model: {stepMs: 2, memoryNumbers: 500}});
    for (let waits = 0; events.filter(({type}) => type === 'committed').length < 2 && waits < 6000; waits++)
      await delay(5);
    cut();
    await t.throwsAsync(done, {message: 'cut off'});
    const restored = events.find(({type}) => type === 'restored') as Extract<WorkerEvent, {type: 'restored'}>;
    const started = events.find(({type}) => type === 'started') as Extract<WorkerEvent, {type: 'started'}>;
    const [last] = (await readTopic(kafka, 'app.in.changelog'))
      .filter(({key, offset}) => String(key) === 'progress' && offset < restored.endOffset)
      .slice(-1);
    if (last !== undefined) t.is(String(started.nextOffset), JSON.parse(String(last.value)).nextOffset);
    t.true(restored.endOffset >= changelogOffset);
    changelogOffset = restored.endOffset;
  }
  const stores = new LmdbPartitionStores(folders[0]!.path);
  const {events, stop} = running(kafka, {stores});
  while (!events.some(({type}) => type === 'started')) await delay(5);
  await finished(kafka);
  await stop();
  const restored = events.find(({type}) => type === 'restored') as Extract<WorkerEvent, {type: 'restored'}>;
  const all = (await readTopic(kafka, 'app.in.changelog')).filter(({offset}) => offset < restored.endOffset);
  const whole = all.reduce((bytes, {value}) => bytes + (value?.length ?? 0), 0);
  t.true(restored.bytes < whole / 2, `${restored.bytes} of ${whole}`);
  await assertExact(t, kafka, expected);
});

test('KafkaWorker gives up a partition when another producer has shut it out, and takes it again if it is still its own', async t => {
  const {kafka, expected} = await prepared({partitions: 1});
  const worker = running(kafka, {model: {stepMs: 5}});
  while (!worker.events.some(({type}) => type === 'committed')) await delay(5);
  await kafka.openProducer('app.in.0');
  await finished(kafka);
  await worker.stop();
  t.true(worker.events.some(({type}) => type === 'fenced'));
  await assertExact(t, kafka, expected);
});

test('KafkaWorker stops although its group does not say whether it still has a partition from which it was shut out', async t => {
  const {kafka, expected} = await prepared({partitions: 1});
  const silent = new Proxy(kafka, {
    get(target, name) {
      if (name !== 'join') return (target[name as keyof typeof target] as () => unknown).bind(target);
      return async (options: JoinOptions) => {
        const member = await target.join(options);
        return {confirmed: () => new Promise(() => {}), [Symbol.asyncDispose]: () => member[Symbol.asyncDispose]()};
      };
    },
  });
  const worker = running(silent, {model: {stepMs: 5}});
  while (!worker.events.some(({type}) => type === 'committed')) await delay(5);
  await kafka.openProducer('app.in.0');
  while (!worker.events.some(({type}) => type === 'fenced')) await delay(5);
  await worker.stop();
  const heir = running(kafka);
  await finished(kafka);
  await heir.stop();
  await assertExact(t, kafka, expected);
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

const never = () => new Promise<never>(() => {});

/** A cluster of whose calls one waits for brokers that are away, and the readers and producers that are open. */
function awayAt(kafka: InMemoryKafka, call: string): {client: KafkaClient; open: Set<object>} {
  const open = new Set<object>();
  let endCommit = (_: Error) => {};
  const commit = () =>
    new Promise<never>((_, reject) => {
      endCommit = reject;
    });
  const opened = <T extends AsyncDisposable>(resource: T, changed: Partial<T>): T => {
    const proxy = new Proxy(resource, {
      get(target, name) {
        if (name === Symbol.asyncDispose) {
          return async () => {
            open.delete(proxy);
            endCommit(new Error('was closed'));
          };
        }
        return Reflect.get(name in changed ? changed : target, name);
      },
    });
    open.add(proxy);
    return proxy;
  };
  const client: KafkaClient = {
    partitionCount: (...args) => kafka.partitionCount(...args),
    createTopic: (...args) => kafka.createTopic(...args),
    join: options => kafka.join(options),
    openProducer: async (...args) => opened(await kafka.openProducer(...args), call === 'commit' ? {commit} : {}),
    openReader: async (...args) => {
      const range = ({signal}: KafkaCallOptions = {}) =>
        new Promise<never>((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
      return opened(await kafka.openReader(...args), call === 'range' ? {range} : {});
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return {client: call in client ? Object.assign(client, {[call]: never}) : client, open};
}

for (const call of ['partitionCount', 'createTopic', 'join', 'openProducer', 'range', 'commit']) {
  test.serial(
    `KafkaWorker ends its run at once when told to while "${call}" waits for brokers, and closes what it has opened`,
    async t => {
      const {kafka} = await prepared({partitions: 1});
      const {client, open} = awayAt(kafka, call);
      const worker = running(client);
      await delay(100);
      const start = performance.now();
      worker.cut();
      await t.throwsAsync(worker.done, {message: 'cut off'});
      t.true(performance.now() - start < 2000);
      t.is(open.size, 0);
    },
  );
}

test.serial(
  'KafkaWorker closes a producer that is opened, and leaves a group that is joined, after its run was ended',
  async t => {
    const {kafka} = await prepared({partitions: 1});
    for (const call of ['join', 'openProducer'] as const) {
      let closed = 0;
      const gate = {open: () => {}};
      const opening = new Promise<void>(resolve => {
        gate.open = resolve;
      });
      const slow = new Proxy(kafka, {
        get(target, name) {
          if (name !== call) return (target[name as keyof typeof target] as () => unknown).bind(target);
          return async () => {
            await opening;
            return {[Symbol.asyncDispose]: async () => void closed++};
          };
        },
      });
      const worker = running(slow);
      await delay(50);
      worker.cut();
      await t.throwsAsync(worker.done, {message: 'cut off'});
      gate.open();
      await delay(10);
      t.is(closed, 1, call);
    }
  },
);

test('KafkaWorker refuses topics that are missing', async t => {
  const kafka = new InMemoryKafka();
  await t.throwsAsync(running(kafka).done, {instanceOf: SourceError, message: /topic "in" as it must exist/});
  await kafka.createTopic('in', {partitions: 1});
  await t.throwsAsync(running(kafka).done, {instanceOf: SinkError, message: /topic "out" as it must exist/});
});

test('KafkaWorker reads on in no topic of the same name that was made anew, though it reaches as far', async t => {
  const {kafka} = await prepared();
  const worker = running(kafka);
  await finished(kafka);
  await worker.stop();
  await kafka.deleteTopic('in');
  await kafka.createTopic('in', {partitions: 2});
  const producer = await kafka.openProducer('generator');
  for (let i = 0; i < 1000; i++) await producer.send('in', i % 2, [{key: 'new', value: Buffer.from('new')}]);
  await producer.commit();
  await t.throwsAsync(running(kafka).done, {
    instanceOf: SourceError,
    message: /topic "in" on from offset \d+ as it must be the topic that was read .*: it has been made anew since; use/,
  });
  t.false((await readResults(kafka, 'out')).has('new'));
});

test('KafkaWorker refuses a changelog that another model wrote', async t => {
  const {kafka} = await prepared();
  const worker = running(kafka);
  await finished(kafka);
  await worker.stop();
  await t.throwsAsync(running(kafka, {fingerprint: 'another'}).done, {instanceOf: MemoryMismatchError});
});

test('KafkaWorker refuses numbers and names that cannot be', t => {
  const options = {...names, client: new InMemoryKafka(), stores: new InMemoryPartitionStores()};
  t.throws(() => toyWorker({...options, checkpointMs: 0}), {
    instanceOf: RangeError,
    message: /checkpointMs must be a positive integer/,
  });
  for (const name of ['application', 'topic', 'output', 'deadLetters']) {
    const message = new RegExp(`${name} must be 1 to 200 letters`);
    for (const value of ['a b', '']) {
      t.throws(() => toyWorker({...options, [name]: value}), {instanceOf: TypeError, message});
    }
  }
  t.notThrows(() => toyWorker({...options, deadLetters: undefined}));
});

for (const when of ['before', 'after'] as const) {
  test(`KafkaWorker stops in peace when its last commit fails ${when} it is done, and leaves nothing undone`, async t => {
    const {kafka, expected} = await prepared({partitions: 1});
    const worker = running(kafka, {model: {stepMs: 5}, checkpointMs: 10_000, checkpointBytes: 1 << 30});
    while (!worker.events.some(({type}) => type === 'started')) await delay(5);
    await delay(20);
    kafka.fail({when, call: 'commit'});
    await t.notThrowsAsync(worker.stop());
    const heir = running(kafka);
    await finished(kafka);
    await heir.stop();
    await assertExact(t, kafka, expected);
  });
}

test('KafkaWorker stops in peace when another one has taken its partition meanwhile', async t => {
  const {kafka, expected} = await prepared({partitions: 1});
  const worker = running(kafka, {model: {stepMs: 5}, checkpointMs: 10_000});
  while (!worker.events.some(({type}) => type === 'started')) await delay(5);
  await delay(20);
  await kafka.openProducer('app.in.0');
  await t.notThrowsAsync(worker.stop());
  const heir = running(kafka);
  await finished(kafka);
  await heir.stop();
  await assertExact(t, kafka, expected);
});
