import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import {ByteTokenizer} from '../../model/tokenizer/byte-tokenizer.ts';
import type {Embedding} from '../../operators/embedding.ts';
import {RememberStream} from '../../operators/remember-stream.ts';
import type {RememberStreamOptions} from '../../operators/remember-stream-options.ts';
import {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';
import type {DocumentChunk} from '../../pipeline/document-chunk.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {OperatorDriver} from '../driver/operator-driver.ts';
import {ToyModel, toyDigest, toyHidden} from '../integration/toy-model.ts';

const segmentLength = 8;
const tokenizer = new ByteTokenizer();
const idleMs = 60;

type Reading = OperatorDriver<DocumentChunk, Embedding>;

function reading(options: Partial<RememberStreamOptions> = {}) {
  const model = new ToyModel({segmentLength});
  const store = new InMemoryStore();
  let stream: RememberStream | undefined;
  const driver: Reading = new OperatorDriver(({signal}) => {
    stream = new RememberStream({model, store, tokenizer, every: 'segment', signal, ...options});
    return stream;
  });
  return {driver, store, statistics: () => stream!.statistics, hot: () => stream!.hot};
}

let offset = 0n;
function record(key: string, text: string, {timestamp = 0, last = false} = {}): StreamRecord<DocumentChunk> {
  return {key, value: {content: Buffer.from(text), last}, position: {partition: 'p', offset: offset++}, timestamp};
}

function summary(outputs: readonly StreamRecord<Embedding>[]): [string, number, number, boolean][] {
  return outputs.map(({value: {id, segments, tokens, final}}) => [id, segments, tokens, final]);
}

async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits++) {
    if (waits > 500) throw new Error('Waited in vain');
    await delay(10);
  }
}

/** The first numbers of what the toy model makes of a whole document whose last segment is not full. */
function embeddingOf(text: string): number[] {
  let digest = 0;
  for (let start = 0; start < text.length; start += segmentLength) {
    digest = toyDigest(digest, Buffer.from(text.slice(start, start + segmentLength)));
  }
  const hidden = [...toyHidden(digest)];
  const norm = Math.hypot(...hidden);
  return hidden.map(value => Math.fround(value / norm));
}

test('RememberStream emits the unfilled segment of a quiet document once, as its memory says, and leaves that as it was', async t => {
  const {driver} = reading({idleMs});
  await using _driver = driver;
  await driver.push(record('a', 'abcdefghij'));
  await until(() => driver.outputs.length === 2);
  await delay(3 * idleMs);
  t.deepEqual(summary(driver.outputs), [
    ['a', 1, 8, false],
    ['a', 2, 10, false],
  ]);
  t.deepEqual([...driver.outputs[1]!.value.vector], embeddingOf('abcdefghij'));
  await driver.push(record('a', 'klmnop', {last: true}));
  await driver.end();
  t.deepEqual(summary(driver.outputs.slice(2)), [
    ['a', 2, 16, false],
    ['a', 2, 16, true],
  ]);
  t.deepEqual([...driver.outputs[2]!.value.vector], embeddingOf('abcdefghijklmnop'));
});

test('RememberStream emits a quiet document as a whole when each document is to be emitted', async t => {
  const {driver} = reading({idleMs, every: 'document'});
  await using _driver = driver;
  await driver.push(record('a', 'abcdefghij'));
  await until(() => driver.outputs.length === 1);
  t.deepEqual(summary(driver.outputs), [['a', 2, 10, true]]);
});

test('RememberStream emits nothing of a document that is not quiet, has ended, or has nothing that waits', async t => {
  // Far longer than a busy machine holds up a record.
  const {driver} = reading({idleMs: 2000});
  await using _driver = driver;
  await driver.push(record('full', 'abcdefgh'), record('ended', 'abc', {last: true}));
  for (let round = 0; round < 10; round++) {
    await driver.push(record('busy', 'a'));
    await delay(250);
  }
  t.deepEqual(
    summary(driver.outputs).filter(([id]) => id === 'busy'),
    [['busy', 1, 8, false]],
  );
  t.deepEqual(summary(driver.outputs.filter(({key}) => key !== 'busy')), [
    ['full', 1, 8, false],
    ['ended', 1, 3, false],
    ['ended', 1, 3, true],
  ]);
});

test('RememberStream emits what waits of a quiet document that an empty record came for', async t => {
  const {driver} = reading({idleMs});
  await using _driver = driver;
  await driver.push(record('a', 'abc'), record('a', ''));
  await until(() => driver.outputs.length === 1);
  t.deepEqual(summary(driver.outputs), [['a', 1, 3, false]]);
});

test('RememberStream emits a quiet document whose memory was closed meanwhile', async t => {
  const {driver, hot} = reading({idleMs: 300, openMemoryBytes: 1});
  await using _driver = driver;
  await driver.push(record('a', 'abcdefghij'), record('b', 'b'));
  await driver.barrier();
  t.deepEqual(hot().documents, 1);
  await until(() => driver.outputs.length === 3);
  t.deepEqual(
    driver.outputs.map(({key, value}) => [key, ...value.vector]),
    [
      ['a', ...embeddingOf('abcdefgh')],
      ['a', ...embeddingOf('abcdefghij')],
      ['b', ...embeddingOf('b')],
    ],
  );
});

test('RememberStream asks for a barrier in time behind what quiet documents give', async t => {
  const checkpoints = new CheckpointSchedule({bytes: 1_000_000});
  const {driver} = reading({idleMs, checkpoints});
  await using _driver = driver;
  await driver.push(record('a', 'abc'));
  t.false(checkpoints.pending);
  await until(() => driver.outputs.length === 1);
  t.true(checkpoints.pending);
  t.false(checkpoints.due);
});

test('RememberStream forgets a document of which no record came for too long in event time, when its next one comes', async t => {
  const {driver, store, statistics} = reading({expireAfterMs: 1000});
  await using _driver = driver;
  await driver.push(record('a', 'abcdefgh', {timestamp: 0}));
  await driver.barrier();
  await driver.push(record('a', 'ijklmnop', {timestamp: 1000}));
  await driver.barrier();
  await driver.push(record('a', 'qrstuvwx', {timestamp: 2001}));
  await driver.barrier();
  t.deepEqual(summary(driver.outputs), [
    ['a', 1, 8, false],
    ['a', 2, 16, false],
    ['a', 1, 8, false],
  ]);
  t.deepEqual([...driver.outputs[2]!.value.vector], embeddingOf('qrstuvwx'));
  t.is(statistics().expiredDocuments, 1);
  t.is((await store.get('a'))!.segments, 1);
});

test('RememberStream forgets a document that expired before its memory was ever stored', async t => {
  const {driver} = reading({expireAfterMs: 1000, batch: 4});
  await using _driver = driver;
  await driver.push(record('a', 'abcdefgh', {timestamp: 0}), record('a', 'ijklmnop', {timestamp: 5000}));
  await driver.end();
  t.deepEqual(
    driver.outputs.map(({value}) => [...value.vector]),
    [embeddingOf('abcdefgh'), embeddingOf('ijklmnop')],
  );
});

test('RememberStream removes expired documents from the store as others are read, and keeps those that are not', async t => {
  const {driver, store, statistics} = reading({expireAfterMs: 1000});
  await using _driver = driver;
  for (let n = 0; n < 1500; n++) await driver.push(record(`old ${n}`, 'abcdefgh', {timestamp: n % 2}));
  await driver.push(record('young', 'abcdefgh', {timestamp: 900}));
  await driver.barrier();
  t.is(store.size().documents, 1501);
  await driver.push(record('now', 'a', {timestamp: 2500}));
  await driver.barrier();
  t.is(store.size().documents, 502);
  await driver.push(record('now', 'b', {timestamp: 2501}));
  await driver.barrier();
  const left: string[] = [];
  for await (const id of store.keys()) left.push(id);
  t.deepEqual(left.sort(), ['now', 'young']);
  t.is(statistics().expiredDocuments, 1500);
});

test('RememberStream lets documents expire by their own records alone, whatever comes between and however often it is resumed', async t => {
  const records = [
    record('a', 'abcdefgh', {timestamp: 5000}),
    // Late, which makes the document no older.
    record('a', 'ijklmnop', {timestamp: 3900}),
    record('ahead', 'abcdefgh', {timestamp: 6900}),
    record('a', 'qrstuvwx', {timestamp: 5900}),
    record('a', 'yzABCDEF', {timestamp: 6901}),
  ];
  const whole = reading({expireAfterMs: 1000});
  await using _whole = whole.driver;
  await whole.driver.push(...records);
  await whole.driver.end();
  t.deepEqual(summary(whole.driver.outputs), [
    ['a', 1, 8, false],
    ['a', 2, 16, false],
    ['ahead', 1, 8, false],
    ['a', 3, 24, false],
    ['a', 1, 8, false],
  ]);
  const store = new InMemoryStore();
  const resumed: StreamRecord<Embedding>[] = [];
  for (const next of records) {
    const {driver} = reading({expireAfterMs: 1000, store});
    await using _driver = driver;
    await driver.push(next);
    await driver.barrier();
    resumed.push(...driver.outputs);
  }
  t.deepEqual(resumed, whole.driver.outputs);
});

test('RememberStream does not forget as too old the document whose late record it reads', async t => {
  const {driver, store} = reading({expireAfterMs: 1000});
  await using _driver = driver;
  for (let n = 0; n < 1000; n++) await driver.push(record(`old ${n}`, 'abcdefgh'));
  await driver.push(record('late', 'abcdefgh'));
  await driver.barrier();
  // As many expire as may between two barriers.
  await driver.push(record('now', 'abcdefgh', {timestamp: 10_000}));
  await driver.barrier();
  await driver.push(record('late', 'ijklmnop', {timestamp: 500}));
  await driver.barrier();
  const {value} = driver.outputs.at(-1)!;
  t.deepEqual([value.id, value.segments, ...value.vector], ['late', 2, ...embeddingOf('abcdefghijklmnop')]);
  t.is((await store.get('late'))?.segments, 2);
});

test('RememberStream emits what waits of a quiet document that expires first', async t => {
  const {driver} = reading({expireAfterMs: 1000, idleMs: 60_000});
  await using _driver = driver;
  await driver.push(record('a', 'abc', {timestamp: 0}));
  await driver.barrier();
  await driver.push(record('b', 'abcdefgh', {timestamp: 5000}));
  await driver.barrier();
  t.deepEqual(summary(driver.outputs), [
    ['a', 1, 3, false],
    ['b', 1, 8, false],
  ]);
});

test('RememberStream lets no record from the future expire all others', async t => {
  const {driver, store} = reading({expireAfterMs: 3_600_000});
  await using _driver = driver;
  await driver.push(record('a', 'abc', {timestamp: Date.now()}));
  await driver.barrier();
  await driver.push(record('b', 'abc', {timestamp: Date.now() + 10 * 3_600_000}));
  await driver.barrier();
  t.is(store.size().documents, 2);
});

test('RememberStream tells of each segment and how long it took', async t => {
  const segments: {tokens: number; ms: number}[] = [];
  const {driver} = reading({onSegment: segment => segments.push(segment)});
  await using _driver = driver;
  await driver.push(record('a', 'abcdefghij', {last: true}));
  await driver.end();
  t.deepEqual(
    segments.map(({tokens}) => tokens),
    [8, 2],
  );
  t.true(segments.every(({ms}) => ms >= 0 && ms < 60_000));
});

test('RememberStream refuses times that cannot be', t => {
  for (const option of ['idleMs', 'expireAfterMs'] as const) {
    t.throws(() => reading({[option]: 0}), {instanceOf: RangeError, message: new RegExp(`${option} must be positive`)});
  }
});

for (const [title, options] of [
  ['never if idleMs and expireAfterMs are infinite', {idleMs: Infinity, expireAfterMs: Infinity}],
  ['in more days than a timer can wait', {idleMs: 100 * 86_400_000, maxWaitMs: 30 * 86_400_000}],
] as const) {
  test.serial(`RememberStream reads what waits ${title}`, async t => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    t.teardown(() => process.off('warning', onWarning));
    const {driver} = reading({...options, batch: 2});
    await using _driver = driver;
    await driver.push(record('a', 'abcdefghij'));
    await delay(idleMs);
    t.deepEqual(driver.outputs, []);
    t.deepEqual(warnings, []);
    await driver.end();
    t.deepEqual(summary(driver.outputs), [['a', 1, 8, false]]);
  });
}

test('RememberStream reads a document anew on a model that a failed run left memories in', async t => {
  const model = new ToyModel({segmentLength});
  const read = () =>
    new OperatorDriver(() => new RememberStream({model, store: new InMemoryStore(), tokenizer, every: 'segment'}));
  const first: Reading = read();
  await first.push(record('a', 'abcdefgh'));
  await first.barrier();
  await first[Symbol.asyncDispose]();
  await using second: Reading = read();
  await second.push(record('a', 'ijklmnop'));
  await second.end();
  t.deepEqual([...second.outputs[0]!.value.vector], embeddingOf('ijklmnop'));
});

test('RememberStream keeps documents apart whatever their ids, copies of memories included', async t => {
  const {driver} = reading();
  await using _driver = driver;
  const ids = ['a', 'a\0tail', '\0tail a', '\0commit 0 a', '\0\0tail a'];
  for (const id of ids) await driver.push(record(id, 'abcdefgh'));
  await driver.barrier();
  for (const id of ids) await driver.push(record(id, 'ijklmnopq', {last: true}));
  await driver.end();
  for (const id of ids) {
    const second = driver.outputs.find(({key, value}) => key === id && value.segments === 2)!;
    t.deepEqual([...second.value.vector], embeddingOf('abcdefghijklmnop'), JSON.stringify(id));
  }
});

test('RememberStream closes short documents that are stored when they hold too much', async t => {
  const {driver, hot} = reading({openMemoryBytes: 1000});
  await using _driver = driver;
  for (let i = 0; i < 50; i++) await driver.push(record(`short ${i}`, 'ab'));
  await driver.barrier();
  await driver.push(record('short 0', 'cdefgh'));
  await driver.barrier();
  t.true(hot().documents < 20, String(hot().documents));
  t.deepEqual(summary(driver.outputs), [['short 0', 1, 8, false]]);
});
