import type {ExecutionContext} from 'ava';
import type {MemoryStore, StoreSize} from '../../memory-store/index.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';

/** Checks what a store says of its size as documents come, are replaced and are forgotten. */
export async function checkSize(t: ExecutionContext, store: MemoryStore & {size(): StoreSize}): Promise<void> {
  const nothing = {partitions: new Map(), outputs: new Map()};
  t.deepEqual(store.size(), {documents: 0, bytes: 0});
  await store.commit([['a', sampleMemoryRecord(1)]], nothing);
  const {bytes} = store.size();
  t.true(bytes > 256);
  await store.commit(
    [
      ['a', sampleMemoryRecord(2)],
      ['b', sampleMemoryRecord(3)],
    ],
    nothing,
  );
  t.is(store.size().documents, 2);
  t.true(store.size().bytes > 1.5 * bytes);
  await store.commit([['b', undefined]], nothing);
  t.is(store.size().documents, 1);
  t.true(store.size().bytes < 1.5 * bytes);
}
