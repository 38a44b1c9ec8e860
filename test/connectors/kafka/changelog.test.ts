import test from 'ava';
import {ChangelogReader, forgetMessages, memoryMessages, progressMessage} from '../../../connectors/kafka/changelog.ts';
import type {FetchedMessage, OutgoingMessage} from '../../../connectors/kafka/kafka-client.ts';
import {CorruptMemoryError} from '../../../errors.ts';
import {encodeMemoryRecord} from '../../../memory-store/encode-memory-record.ts';
import {LentBuffers} from '../../../memory-store/lent-buffers.ts';
import type {MemoryRecord} from '../../../memory-store/memory-record.ts';
import type {MemoryChange} from '../../../memory-store/memory-store.ts';

/** A memory of about so many bytes, whose numbers depend on `version`. */
function record(bytes: number, {version = 0, pending = 0} = {}): MemoryRecord {
  const data = Float32Array.from({length: bytes / 4}, (_, i) => i + version);
  return {
    fingerprint: 'f',
    position: {partition: 'p/0', offset: BigInt(version)},
    timestamp: 0,
    segments: 1,
    carry: new Uint8Array(0),
    pendingTokens: new Int32Array(pending),
    pendingByteLengths: new Int32Array(pending),
    summary: {
      tokens: 1,
      bytes: 1,
      bits: 1,
      hiddenSum: new Float64Array(1),
      lexicalCounts: new Uint32Array(),
      lastToken: -1,
    },
    memory: {memoryCount: 1, compressedMemoryCount: 0, tensors: {memory: {shape: [data.length], data}}},
  };
}

function messages(id: string, memory: MemoryRecord, checkpoint: bigint): OutgoingMessage[] {
  return memoryMessages(id, memory, {dtype: 'float32', checkpoint, buffers: new LentBuffers()});
}

function asFetched(all: readonly OutgoingMessage[]): FetchedMessage[] {
  return all.map(({key, value, headers = {}}, i) => ({
    offset: BigInt(i),
    key: Buffer.from(key as string),
    value,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    timestamp: 0,
  }));
}

function restored(log: readonly FetchedMessage[], reader = new ChangelogReader()): Map<string, string | undefined> {
  const changes = log.flatMap(message =>
    [reader.push(message)].filter(change => change !== undefined),
  ) as MemoryChange[];
  return new Map(
    changes.map(([id, memory]) => [id, memory && Buffer.from(encodeMemoryRecord(memory)).toString('latin1')]),
  );
}

const encoded = (memory: MemoryRecord) => Buffer.from(encodeMemoryRecord(memory)).toString('latin1');
const megabyte = 1 << 20;

test('memoryMessages stay well below a megabyte, and ChangelogReader puts them together to the bit', t => {
  const memory = record(3 * megabyte, {pending: 1000});
  const all = messages('a:b', memory, 1n);
  t.is(all.length, 7);
  t.true(all.every(({value}) => value!.length <= 0.6 * megabyte));
  const reader = new ChangelogReader();
  const log = asFetched([...all, progressMessage({nextOffset: 7n, fingerprint: 'f', topicId: 'i'})]);
  t.is(restored(log, reader).get('a:b'), encoded(memory));
  t.deepEqual(reader.progress, {nextOffset: 7n, fingerprint: 'f', topicId: 'i'});
});

test('ChangelogReader gives the latest memory of every document, whatever compaction has removed of earlier ones', t => {
  const old = record(1.4 * megabyte);
  const last = record(1.4 * megabyte, {version: 1});
  const other = record(1000);
  const log = asFetched([...messages('a', old, 1n), ...messages('b', other, 1n), ...messages('a', last, 2n)]);
  const earlier = messages('a', old, 1n).length;
  // Any of the messages that later ones replace may be gone.
  for (let gone = 0; gone < 1 << earlier; gone++) {
    const left = log.filter((_, i) => i >= earlier || (gone & (1 << i)) === 0);
    const memories = restored(left);
    t.is(memories.get('a'), encoded(last), String(gone));
    t.is(memories.get('b'), encoded(other), String(gone));
  }
});

test('ChangelogReader tells where a memory begins that is not complete', t => {
  const reader = new ChangelogReader();
  const log = asFetched([...messages('a', record(1000), 1n), ...messages('b', record(megabyte), 1n)]);
  restored(log.slice(0, 2), reader);
  t.is(reader.unfinishedOffset, 1n);
  restored(log.slice(2), reader);
  t.is(reader.unfinishedOffset, undefined);
});

test('forgetMessages remove every message that a memory has, whatever waits in it', t => {
  for (let bytes = 1000; bytes < 1.2 * megabyte; bytes += 50_000) {
    const written = new Set(
      [0, 500, 4000].flatMap(pending => messages('a', record(bytes, {pending}), 1n)).map(({key}) => key),
    );
    const removed = new Set(forgetMessages('a', record(bytes)).map(({key}) => key));
    t.deepEqual(
      [...written].filter(key => !removed.has(key)),
      [],
    );
  }
  t.deepEqual(
    restored(asFetched([...messages('a', record(1000), 1n), ...forgetMessages('a', undefined)])),
    new Map([['a', undefined]]),
  );
});

test('ChangelogReader refuses what is damaged, or not of the changelog', t => {
  const [message] = asFetched(messages('a', record(1000), 1n));
  const value = message!.value!.slice();
  value[500]! ^= 1;
  t.throws(() => new ChangelogReader().push({...message!, value}), {instanceOf: CorruptMemoryError});
  const [progress] = asFetched([{key: 'progress', value: Buffer.from('{}')}]);
  t.throws(() => new ChangelogReader().push(progress!), {instanceOf: CorruptMemoryError});
});
