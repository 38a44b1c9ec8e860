import test from 'ava';
import {progressMessage} from '../../../connectors/kafka/changelog.ts';
import {changelogOutput} from '../../../connectors/kafka/replicated-store.ts';
import {restoreStore} from '../../../connectors/kafka/restore-store.ts';
import {CorruptMemoryError, StoreError} from '../../../errors.ts';
import {InMemoryStore} from '../../../memory-store/in-memory-store.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';

const changelog = 'changelog';
const source = 'in/0';

/** A changelog that holds one progress after the other, each with the mark of its transaction behind it. */
async function changelogOf(...nextOffsets: readonly bigint[]) {
  const kafka = new InMemoryKafka();
  await kafka.createTopic(changelog, {partitions: 1});
  const producer = await kafka.openProducer('p');
  for (const nextOffset of nextOffsets) {
    await producer.send(changelog, 0, [progressMessage({nextOffset, fingerprint: undefined, topicId: undefined})]);
    await producer.commit();
  }
  return kafka;
}

async function localStore({read, changelogOffset}: {read: bigint; changelogOffset: bigint}) {
  const local = new InMemoryStore();
  await local.commit([], {
    partitions: new Map([[source, {nextOffset: read, ended: false}]]),
    outputs: new Map([[changelogOutput(changelog, 0), changelogOffset]]),
  });
  return local;
}

async function restore(kafka: InMemoryKafka, local: InMemoryStore) {
  const reader = await kafka.openReader(changelog, 0);
  const {signal} = new AbortController();
  return restoreStore({local, reader, changelog, partition: 0, source, fingerprint: undefined, signal});
}

test('restoreStore brings a store to the latest progress, however often', async t => {
  const kafka = await changelogOf(3n, 5n, 8n);
  const local = await localStore({read: 5n, changelogOffset: 2n});
  t.is((await restore(kafka, local)).nextOffset, 8n);
  t.is((await restore(kafka, local)).nextOffset, 8n);
});

test('restoreStore knows a store that has taken in what its changelog has not', async t => {
  // The checkpoint that read up to 8 was committed, and then dropped by the cluster all the same.
  const behind = await localStore({read: 8n, changelogOffset: 2n});
  await t.throwsAsync(restore(await changelogOf(3n, 5n), behind), {
    instanceOf: CorruptMemoryError,
    message: /has read the input up to 8, the topic tells of 5;/,
  });
  const empty = await localStore({read: 8n, changelogOffset: 4n});
  await t.throwsAsync(restore(await changelogOf(3n, 5n), empty), {
    instanceOf: CorruptMemoryError,
    message: /the topic tells of nothing since the store was last restored;/,
  });
});

test('restoreStore refuses a store that has read beyond the end of its changelog', async t => {
  const local = await localStore({read: 8n, changelogOffset: 9n});
  await t.throwsAsync(restore(await changelogOf(3n), local), {
    instanceOf: StoreError,
    message: /has the topic been made anew/,
  });
});
