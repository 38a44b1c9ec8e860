import {createHash} from 'node:crypto';
import test from 'ava';
import {PartitionWriter} from '../../../connectors/kafka/partition-writer.ts';
import {ReplicatedStore} from '../../../connectors/kafka/replicated-store.ts';
import {restoreStore} from '../../../connectors/kafka/restore-store.ts';
import {PipelineError} from '../../../errors.ts';
import {encodeMemoryRecord} from '../../../memory-store/encode-memory-record.ts';
import {InMemoryStore} from '../../../memory-store/in-memory-store.ts';
import {LmdbStore} from '../../../memory-store/lmdb-store.ts';
import type {MemoryRecord} from '../../../memory-store/memory-record.ts';
import type {MemoryStore} from '../../../memory-store/memory-store.ts';
import {sampleMemoryRecord} from '../../conformance/sample-memory-record.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';
import {temporaryFolder} from '../../memory-store/temporary-folder.ts';

const changelog = 'changelog';

async function replicated(local: MemoryStore) {
  const kafka = new InMemoryKafka();
  await kafka.createTopic(changelog, {partitions: 1});
  const store = new ReplicatedStore({
    local,
    writer: new PartitionWriter(await kafka.openProducer('p')),
    topic: 'in',
    partition: 0,
    changelog,
    changelogOffset: 0n,
    group: 'g',
    dtype: 'float32',
    fingerprint: undefined,
    topicId: undefined,
    isLast: () => false,
  });
  return {kafka, store};
}

const progress = (nextOffset: bigint) => ({
  partitions: new Map([['in/0', {nextOffset, ended: false}]]),
  outputs: new Map<string, bigint>(),
});

const large = (seed: number) => sampleMemoryRecord(2 * seed, {bytes: 1_500_000});

const digest = (record: MemoryRecord) => createHash('sha256').update(encodeMemoryRecord(record)).digest('hex');

async function stored(store: MemoryStore): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const id of store.keys()) {
    found.set(id, digest((await store.get(id))!));
  }
  return new Map([...found].sort());
}

for (const kind of ['in memory', 'LMDB'] as const) {
  test.serial(
    `ReplicatedStore keeps large memories of several commits in its local store and its changelog: ${kind}`,
    async t => {
      const {path, remove} = await temporaryFolder();
      const local = kind === 'LMDB' ? await LmdbStore.open(path) : new InMemoryStore();
      const {kafka, store} = await replicated(local);
      const expected = new Map<string, string>();
      for (let commit = 0; commit < 4; commit++) {
        // Each leaves some documents as they were before.
        const ids = ['a', 'b', 'c', 'd'].filter((_, i) => i !== commit);
        const changes = ids.map((id, i) => [id, large(10 * commit + i)] as const);
        await store.commit(changes, progress(BigInt(commit + 1)));
        for (const [id, record] of changes) {
          expected.set(id, digest(record));
        }
        t.deepEqual(await stored(local), new Map([...expected].sort()));
      }
      const restored = new InMemoryStore();
      const reader = await kafka.openReader(changelog, 0);
      const {signal} = new AbortController();
      const options = {
        local: restored,
        reader,
        changelog,
        partition: 0,
        source: 'in/0',
        fingerprint: undefined,
        signal,
      };
      t.is((await restoreStore(options)).nextOffset, 4n);
      t.deepEqual(await stored(restored), new Map([...expected].sort()));
      await local[Symbol.asyncDispose]();
      await remove();
    },
  );
}

test.serial('ReplicatedStore leaves a changelog whole whose write was reported as failed', async t => {
  const local = new InMemoryStore();
  const {kafka, store} = await replicated(local);
  await store.commit([['a', large(1)]], progress(1n));
  kafka.fail({when: 'after', call: 'commit'});
  await t.throwsAsync(store.commit([['a', large(2)]], progress(2n)), {instanceOf: PipelineError});
  const other = await replicated(new InMemoryStore());
  await other.store.commit([['b', large(3)]], progress(1n));
  const restored = new InMemoryStore();
  const reader = await kafka.openReader(changelog, 0);
  const {signal} = new AbortController();
  const options = {local: restored, reader, changelog, partition: 0, source: 'in/0', fingerprint: undefined, signal};
  t.is((await restoreStore(options)).nextOffset, 2n);
  t.deepEqual(await stored(restored), new Map([['a', digest(large(2))]]));
});
