import type {
  FetchedMessage,
  KafkaClient,
  OutgoingMessage,
  PartitionReader,
} from '../../connectors/kafka/kafka-client.ts';
import {FencedError, SourceError} from '../../errors.ts';
import type {TestFunction} from './test-function.ts';

/** A cluster that the suite runs on, with what only its owner can do. */
export type KafkaClientPlace = {
  readonly client: KafkaClient;
  /** Deletes the records of a partition before an offset, as retention does. */
  deleteRecords(topic: string, partition: number, before: bigint): Promise<void>;
  /** Deletes a topic; resolves when it can be created anew. */
  deleteTopic(topic: string): Promise<void>;
  /** How far a group has read, if it is known. */
  groupOffset(group: string, topic: string, partition: number): Promise<bigint | undefined>;
};

const transactionTimeoutMs = 30_000;
const fetching = {maxBytes: 1024 * 1024, maxWaitMs: 200};

/** Tests what the connector relies on; `open` is called once for each test, and topics are new each time. */
export function testKafkaClient(
  test: TestFunction,
  open: () => Promise<KafkaClientPlace>,
  {name = 'KafkaClient'}: {name?: string} = {},
): void {
  let topics = 0;
  const run = process.pid.toString(36) + Date.now().toString(36);

  async function prepared(partitions = 1): Promise<KafkaClientPlace & {topic: string}> {
    const place = await open();
    const topic = `conformance-${run}-${topics++}`;
    await place.client.createTopic(topic, {partitions});
    return {...place, topic};
  }

  test(`${name} tells how many partitions a topic has, and that there is none`, async t => {
    const {client, topic} = await prepared(3);
    t.is(await client.partitionCount(topic), 3);
    t.is(await client.partitionCount(`${topic}-missing`), undefined);
    await client.createTopic(topic, {partitions: 5});
    t.is(await client.partitionCount(topic), 3);
  });

  test(`${name} tells a topic from one of the same name that was deleted`, async t => {
    const {client, topic, deleteTopic} = await prepared(2);
    const idOf = async (partition: number) => {
      await using reader = await client.openReader(topic, partition);
      return await reader.topicId();
    };
    const first = await idOf(0);
    t.true(/^[0-9a-f-]{32,}$/.test(first ?? ''), first);
    t.is(await idOf(1), first);
    await deleteTopic(topic);
    await client.createTopic(topic, {partitions: 2});
    const second = await idOf(0);
    t.true(second !== undefined && second !== first, second);
  });

  test(`${name} gives back key, value, headers and timestamp as they were written`, async t => {
    const {client, topic} = await prepared();
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    const bytes = Uint8Array.from({length: 256}, (_, i) => i);
    await producer.send(topic, 0, [
      {key: 'kéy', value: bytes, headers: {a: '1', ü: 'ö'}, timestamp: 1_700_000_000_000},
      {key: Uint8Array.of(0, 255), value: undefined},
    ]);
    await producer.commit();
    await using reader = await client.openReader(topic, 0);
    const [first, second] = await readAll(reader, {count: 2});
    t.is(text(first!.key), 'kéy');
    t.deepEqual([...first!.value!], [...bytes]);
    t.deepEqual(
      Object.entries(first!.headers).map(([header, value]) => [header, text(value)]),
      [
        ['a', '1'],
        ['ü', 'ö'],
      ],
    );
    t.is(first!.timestamp, 1_700_000_000_000);
    t.deepEqual([...second!.key!], [0, 255]);
    t.is(second!.value, undefined);
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} has taken in what it was given once it says so`, async t => {
    const {client, topic} = await prepared();
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    const [key, value] = [Buffer.from('key'), Buffer.alloc(500_000, 'a')];
    await producer.send(topic, 0, [{key, value}]);
    key.fill('x');
    value.fill('b');
    await producer.commit();
    await using reader = await client.openReader(topic, 0);
    const [only] = await readAll(reader, {count: 1});
    t.is(text(only!.key), 'key');
    t.is(text(only!.value), 'a'.repeat(500_000));
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} shows a transaction over several partitions as a whole, once it is committed`, async t => {
    const {client, topic} = await prepared(2);
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    const readers = [await client.openReader(topic, 0), await client.openReader(topic, 1)];
    t.is(await producer.send(topic, 0, [message('a'), message('b')]), 0n);
    t.is(await producer.send(topic, 0, [message('c')]), 2n);
    t.is(await producer.send(topic, 1, [message('d')]), 0n);
    for (const reader of readers) {
      t.deepEqual(await values(reader), []);
      t.is((await reader.range()).endOffset, 0n);
    }
    await producer.commit();
    t.deepEqual(await values(readers[0]!, {count: 3}), ['a', 'b', 'c']);
    t.deepEqual(await values(readers[1]!, {count: 1}), ['d']);
    // The mark of the transaction takes an offset of its own.
    t.is((await readers[0]!.range()).endOffset, 4n);
    t.is(await producer.send(topic, 0, [message('e')]), 4n);
    await producer.commit();
    t.deepEqual(await values(readers[0]!, {count: 1, from: 3n}), ['e']);
    for (const reader of readers) await reader[Symbol.asyncDispose]();
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} lets a new producer of the same id drop what the old one has open, and shuts it out`, async t => {
    const {client, topic} = await prepared();
    const zombie = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await zombie.send(topic, 0, [message('committed')]);
    await zombie.commit();
    await zombie.send(topic, 0, [message('dropped')]);
    const heir = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await using reader = await client.openReader(topic, 0);
    // By now nothing is open: all that will ever be read of the old producer can be.
    t.is((await reader.range()).endOffset, 4n);
    await t.throwsAsync(zombie.send(topic, 0, [message('late')]), {instanceOf: FencedError});
    await heir.send(topic, 0, [message('heir')]);
    await heir.commit();
    t.deepEqual(await values(reader, {count: 2}), ['committed', 'heir']);
    await zombie[Symbol.asyncDispose]();
    await heir[Symbol.asyncDispose]();
  });

  test(`${name} shuts out the commit of an old producer`, async t => {
    const {client, topic} = await prepared();
    const zombie = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await zombie.send(topic, 0, [message('dropped')]);
    const heir = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await t.throwsAsync(zombie.commit(), {instanceOf: FencedError});
    await using reader = await client.openReader(topic, 0);
    t.deepEqual(await values(reader), []);
    await zombie[Symbol.asyncDispose]();
    await heir[Symbol.asyncDispose]();
  });

  test(`${name} does not let an open transaction be overtaken`, async t => {
    const {client, topic} = await prepared();
    const slow = await client.openProducer(`${topic}-slow`, {topics: [topic], transactionTimeoutMs});
    const quick = await client.openProducer(`${topic}-quick`, {topics: [topic], transactionTimeoutMs});
    await slow.send(topic, 0, [message('slow')]);
    await quick.send(topic, 0, [message('quick')]);
    await quick.commit();
    await using reader = await client.openReader(topic, 0);
    t.deepEqual(await values(reader), []);
    await slow.commit();
    t.deepEqual(await values(reader, {count: 2}), ['slow', 'quick']);
    await slow[Symbol.asyncDispose]();
    await quick[Symbol.asyncDispose]();
  });

  test(`${name} shows nothing of transactions that overlap and are dropped, whichever is dropped first`, async t => {
    const {client, topic} = await prepared();
    const open = (id: string) => client.openProducer(`${topic}-${id}`, {topics: [topic], transactionTimeoutMs});
    const first = await open('first');
    const second = await open('second');
    const third = await open('third');
    await first.send(topic, 0, [message('dropped')]);
    await second.send(topic, 0, [message('dropped')]);
    await third.send(topic, 0, [message('kept')]);
    await first.send(topic, 0, [message('dropped')]);
    await second.send(topic, 0, [message('dropped')]);
    await third.commit();
    // In the other order than that in which they began.
    const heirs = [await open('second'), await open('first')];
    await using reader = await client.openReader(topic, 0);
    const {endOffset} = await reader.range();
    for (let from = 0n; from < endOffset; from++) {
      t.deepEqual(await values(reader, {from}), from <= 2n ? ['kept'] : [], `from offset ${from}`);
    }
    for (const producer of [first, second, third, ...heirs]) await producer[Symbol.asyncDispose]();
  });

  test(`${name} takes no message for the mark of a transaction, whatever its key`, async t => {
    const {client, topic} = await prepared();
    const zombie = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    // The keys of marks.
    const marks = [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(0, 0, 0, 1)];
    for (const key of marks) await zombie.send(topic, 0, [{...message('dropped'), key}, message('dropped')]);
    const heir = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await heir.send(
      topic,
      0,
      marks.map(key => ({...message('kept'), key})),
    );
    await heir.commit();
    await using reader = await client.openReader(topic, 0);
    t.deepEqual(await values(reader, {count: 2}), ['kept', 'kept']);
    await zombie[Symbol.asyncDispose]();
    await heir[Symbol.asyncDispose]();
  });

  test(`${name} stores offsets with the transaction`, async t => {
    const {client, topic, groupOffset} = await prepared();
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await producer.send(topic, 0, [message('a')]);
    await producer.sendOffset(`${topic}-g`, topic, 0, 7n);
    await producer.commit();
    t.is(await groupOffset(`${topic}-g`, topic, 0), 7n);
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} waits for records that come later`, async t => {
    const {client, topic} = await prepared();
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await using reader = await client.openReader(topic, 0);
    const fetched = reader.fetch(0n, {maxBytes: 1000, maxWaitMs: 5000});
    await producer.send(topic, 0, [message('a')]);
    await producer.commit();
    t.deepEqual(
      (await fetched).messages.map(({value}) => text(value)),
      ['a'],
    );
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} ends what waits when its signal is aborted, and says why`, async t => {
    const {client, topic} = await prepared();
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    const aborted = {signal: AbortSignal.abort(new Error('changed its mind'))};
    await using reader = await client.openReader(topic, 0);
    const join = {
      group: `${topic}-g`,
      topic,
      sessionTimeoutMs: 10_000,
      stored: () => [],
      onAssigned: () => {},
      onFailed: () => {},
    };
    const calls = {
      partitionCount: () => client.partitionCount(topic, aborted),
      createTopic: () => client.createTopic(`${topic}-other`, {partitions: 1, ...aborted}),
      openProducer: () => client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs, ...aborted}),
      join: () => client.join({...join, ...aborted}),
      range: () => reader.range(aborted),
      fetch: () => reader.fetch(0n, {...fetching, ...aborted}),
    };
    for (const run of Object.values(calls)) await t.throwsAsync(run(), {message: 'changed its mind'});
    t.is(await client.partitionCount(`${topic}-other`), undefined);
    const controller = new AbortController();
    const waiting = reader.fetch(0n, {maxBytes: 1000, maxWaitMs: 20_000, signal: controller.signal});
    const start = performance.now();
    controller.abort(new Error('has waited enough'));
    await t.throwsAsync(waiting, {message: 'has waited enough'});
    t.true(performance.now() - start < 10_000);
    // Nobody has shut it out.
    await producer.send(topic, 0, [message('a')]);
    await producer.commit();
    t.deepEqual(await values(reader, {count: 1}), ['a']);
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} ends a read that waits when its reader is closed`, async t => {
    const {client, topic} = await prepared();
    const reader = await client.openReader(topic, 0);
    await reader.range();
    const waiting = reader.fetch(0n, {maxBytes: 1000, maxWaitMs: 20_000});
    const start = performance.now();
    await Promise.all([t.throwsAsync(waiting), reader[Symbol.asyncDispose]()]);
    t.true(performance.now() - start < 10_000);
    await t.throwsAsync(reader.fetch(0n, fetching));
  });

  test(`${name} refuses to read records that were deleted, or beyond the end`, async t => {
    const {client, topic, deleteRecords} = await prepared();
    const producer = await client.openProducer(`${topic}-p`, {topics: [topic], transactionTimeoutMs});
    await producer.send(topic, 0, [message('a'), message('b'), message('c')]);
    await producer.commit();
    await deleteRecords(topic, 0, 2n);
    await using reader = await client.openReader(topic, 0);
    t.is((await reader.range()).startOffset, 2n);
    await t.throwsAsync(reader.fetch(1n, fetching), {instanceOf: SourceError});
    await t.throwsAsync(reader.fetch(9n, fetching), {instanceOf: SourceError});
    t.deepEqual(await values(reader, {count: 1, from: 2n}), ['c']);
    await producer[Symbol.asyncDispose]();
  });

  test(`${name} deals every partition to one member, and anew when one leaves`, async t => {
    const {client, topic} = await prepared(4);
    const assigned: (readonly number[])[] = [[], []];
    const join = (index: number) =>
      client.join({
        group: `${topic}-g`,
        topic,
        sessionTimeoutMs: 10_000,
        stored: () => [],
        onAssigned: partitions => {
          assigned[index] = partitions;
        },
        onFailed: () => {},
      });
    const first = await join(0);
    await until(() => assigned[0]!.length === 4);
    const second = await join(1);
    await until(() => assigned[0]!.length === 2 && assigned[1]!.length === 2);
    t.deepEqual([...assigned[0]!, ...assigned[1]!].sort(), [0, 1, 2, 3]);
    await second.confirmed();
    await first[Symbol.asyncDispose]();
    await until(() => assigned[1]!.length === 4);
    await second[Symbol.asyncDispose]();
    t.pass();
  });
}

function message(value: string): OutgoingMessage {
  return {key: 'key', value: Buffer.from(value)};
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

/** All that can be read, and for up to 10 seconds not less than `count`: brokers show what was committed with a delay. */
async function readAll(
  reader: PartitionReader,
  {count = 0, from = 0n}: {count?: number; from?: bigint} = {},
): Promise<FetchedMessage[]> {
  const all: FetchedMessage[] = [];
  for (let offset = from, waits = 0; ; waits++) {
    const {messages, nextOffset, endOffset} = await reader.fetch(offset, fetching);
    all.push(...messages);
    offset = nextOffset;
    if (offset >= endOffset && (all.length >= count || waits > 50)) return all;
  }
}

async function values(reader: PartitionReader, options: {count?: number; from?: bigint} = {}): Promise<string[]> {
  return (await readAll(reader, options)).map(({value}) => text(value));
}

/** Longer than brokers take to let a rebalance end. */
async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits++) {
    if (waits > 3000) throw new Error('What was waited for has not come about');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
