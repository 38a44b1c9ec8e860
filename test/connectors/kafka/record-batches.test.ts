import {createRequire} from 'node:module';
import test from 'ava';
import {committedMessages} from '../../../connectors/kafka/committed-messages.ts';
import {recordBatches} from '../../../connectors/kafka/record-batches.ts';
import {SourceError} from '../../../errors.ts';

type BatchFields = {
  readonly firstOffset?: unknown;
  readonly lastOffsetDelta?: number;
  readonly firstTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly transactional?: boolean;
  readonly producerId?: unknown;
  readonly compression?: number;
  readonly records?: readonly unknown[];
};
type RecordFields = {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
};

// What kafkajs writes is an account of the format that is not this project's.
const load = createRequire(import.meta.url);
const {RecordBatch} = load('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(fields: BatchFields): Promise<{buffer: Buffer}>;
};
const kafkajsRecord = load('kafkajs/src/protocol/recordBatch/record/v0') as (fields: RecordFields) => unknown;
const Long = load('kafkajs/src/utils/long') as {fromValue(value: number | string): unknown};

async function batch({firstOffset = 0, producerId = -1, ...fields}: BatchFields): Promise<Buffer> {
  const longs = {
    firstOffset: Long.fromValue(firstOffset as number),
    producerId: Long.fromValue(producerId as number),
  };
  return (await RecordBatch({...fields, ...longs})).buffer;
}

function record(key: string, offsetDelta = 0): unknown {
  return kafkajsRecord({key: Buffer.from(key), value: Buffer.from(key), offsetDelta});
}

const attributesAt = 21;

/** A mark: kafkajs writes none. */
async function mark(kind: 'abort' | 'commit', {firstOffset, producerId}: {firstOffset: number; producerId: number}) {
  const key = Buffer.of(0, 0, 0, kind === 'abort' ? 0 : 1);
  const bytes = await batch({
    firstOffset,
    producerId,
    transactional: true,
    records: [kafkajsRecord({key, value: null})],
  });
  bytes.writeInt16BE(bytes.readInt16BE(attributesAt) | 0x20, attributesAt);
  return bytes;
}

const keysOf = (messages: readonly {readonly key: Uint8Array | undefined}[]) => messages.map(({key}) => String(key));

for (const [name, compression] of [
  ['plain', 0],
  ['compressed', 1],
] as const) {
  test(`recordBatches reads every field of ${name} records`, async t => {
    const far = 2 ** 40 + 1;
    const bytes = await batch({
      firstOffset: '9007199254740993',
      lastOffsetDelta: 700,
      firstTimestamp: 1_700_000_000_000,
      compression,
      records: [
        kafkajsRecord({key: Buffer.from('kéy'), value: Buffer.alloc(300, 7), headers: {a: ['1', '2'], ü: ''}}),
        kafkajsRecord({key: null, value: null, offsetDelta: 64, timestampDelta: -64}),
        kafkajsRecord({key: Buffer.alloc(0), value: Buffer.of(1), offsetDelta: 700, timestampDelta: far}),
      ],
    });
    const [only] = [...recordBatches(bytes)];
    t.is(only!.lastOffset, 9_007_199_254_741_693n);
    const messages = await only!.messages();
    t.deepEqual(
      messages.map(({offset, timestamp}) => [offset, timestamp]),
      [
        [9_007_199_254_740_993n, 1_700_000_000_000],
        [9_007_199_254_741_057n, 1_700_000_000_000 - 64],
        [9_007_199_254_741_693n, 1_700_000_000_000 + far],
      ],
    );
    t.is(String(messages[0]!.key), 'kéy');
    t.deepEqual(Buffer.from(messages[0]!.value!), Buffer.alloc(300, 7));
    t.deepEqual(
      Object.entries(messages[0]!.headers).map(([header, value]) => [header, String(value)]),
      [
        ['a', '1'],
        ['ü', ''],
      ],
    );
    t.deepEqual([messages[1]!.key, messages[1]!.value], [undefined, undefined]);
    t.deepEqual([messages[2]!.key?.length, messages[2]!.value?.length], [0, 1]);
  });
}

test('recordBatches takes the time of the broker where topics are stamped by it', async t => {
  const bytes = await batch({firstTimestamp: 1000, maxTimestamp: 5000, records: [record('a')]});
  bytes.writeInt16BE(0x8, attributesAt);
  const [only] = [...recordBatches(bytes)];
  t.is((await only!.messages())[0]!.timestamp, 5000);
});

test('recordBatches leaves out what is cut off at the end', async t => {
  const whole = await batch({records: [record('a')]});
  const next = await batch({firstOffset: 1, records: [record('b')]});
  for (let length = 0; length < next.length; length++) {
    const batches = [...recordBatches(Buffer.concat([whole, next.subarray(0, length)]))];
    t.deepEqual(
      batches.map(({lastOffset}) => lastOffset),
      [0n],
    );
  }
});

test('recordBatches refuses records from before Kafka 0.11', async t => {
  const bytes = await batch({records: [record('a')]});
  bytes.writeInt8(1, 16);
  t.throws(() => [...recordBatches(bytes)], {instanceOf: SourceError, message: /current format is 1/});
});

test('committedMessages goes on behind batches that compaction has left empty', async t => {
  const bytes = Buffer.concat([
    await batch({firstOffset: 5, lastOffsetDelta: 2, records: [record('a')]}),
    await batch({firstOffset: 8, lastOffsetDelta: 91}),
  ]);
  const {messages, nextOffset} = await committedMessages(recordBatches(bytes), {offset: 6n, aborted: []});
  t.deepEqual([keysOf(messages), nextOffset], [[], 100n]);
});

test('committedMessages begins at the offset asked for, in the middle of a batch', async t => {
  const bytes = await batch({lastOffsetDelta: 2, records: [record('a'), record('b', 1), record('c', 2)]});
  const {messages, nextOffset} = await committedMessages(recordBatches(bytes), {offset: 1n, aborted: []});
  t.deepEqual([keysOf(messages), nextOffset], [['b', 'c'], 3n]);
});

test('committedMessages drops a transaction from its first offset to its mark, and no other of its producer', async t => {
  const written = (firstOffset: number, producerId: number, key: string) =>
    batch({firstOffset, producerId, transactional: true, records: [record(key)]});
  const bytes = Buffer.concat([
    await written(0, 1, 'kept'),
    await mark('commit', {firstOffset: 1, producerId: 1}),
    await written(2, 1, 'dropped'),
    await written(3, 2, 'dropped'),
    await written(4, 3, 'kept'),
    await batch({firstOffset: 5, producerId: 2, records: [record('kept')]}),
    await mark('abort', {firstOffset: 6, producerId: 2}),
    await written(7, 2, 'kept'),
    await written(8, 1, 'dropped'),
    await mark('abort', {firstOffset: 9, producerId: 1}),
    await written(10, 1, 'kept'),
  ]);
  // In the order in which they ended.
  const aborted = [
    {producerId: 2n, firstOffset: 3n},
    {producerId: 1n, firstOffset: 2n},
  ];
  const {messages, nextOffset} = await committedMessages(recordBatches(bytes), {offset: 0n, aborted});
  t.deepEqual([keysOf(messages), nextOffset], [['kept', 'kept', 'kept', 'kept', 'kept'], 11n]);
});
