import test from 'ava';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import {LmdbStore} from '../../memory-store/lmdb-store.ts';
import type {MemoryStore} from '../../memory-store/memory-store.ts';
import {NamespacedStore} from '../../memory-store/namespaced-store.ts';
import {testMemoryStore} from '../conformance/memory-store.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';
import {temporaryFolder} from './temporary-folder.ts';

testMemoryStore(
  test,
  async () => {
    const neighbour = new InMemoryStore();
    await inhabit(neighbour);
    return {open: async () => new NamespacedStore(neighbour, 'a job'), remove: async () => {}};
  },
  {name: 'NamespacedStore over InMemoryStore'},
);

testMemoryStore(
  test,
  async () => {
    const {path, remove} = await temporaryFolder();
    const below = await LmdbStore.open(path);
    await inhabit(below);
    return {
      open: async () => new NamespacedStore(below, 'a job'),
      async remove() {
        await below[Symbol.asyncDispose]();
        await remove();
      },
    };
  },
  {name: 'NamespacedStore over LmdbStore'},
);

/** Neighbours that must never show. */
async function inhabit(store: MemoryStore): Promise<void> {
  const progress = {partitions: new Map([['p', {nextOffset: 77n, ended: true}]]), outputs: new Map([['o', 77n]])};
  await store.commit([['a', sampleMemoryRecord(70)]], progress);
  for (const name of ['a', 'a job 2', 'another']) {
    await new NamespacedStore(store, name).commit([['a', sampleMemoryRecord(71)]], progress);
  }
}

test('NamespacedStore leaves other namespaces alone', async t => {
  const below = new InMemoryStore();
  await inhabit(below);
  const one = new NamespacedStore(below, 'one');
  await one.commit([['a', sampleMemoryRecord(1)]], {
    partitions: new Map([['p', {nextOffset: 1n, ended: false}]]),
    outputs: new Map(),
  });
  await one.commit([['a', undefined]], {partitions: new Map(), outputs: new Map()});
  await one[Symbol.asyncDispose]();
  t.deepEqual(await below.get('a'), sampleMemoryRecord(70));
  t.is((await below.progress()).partitions.get('p')!.nextOffset, 77n);
  const another = new NamespacedStore(below, 'another');
  t.deepEqual(await another.get('a'), sampleMemoryRecord(71));
  t.deepEqual((await another.progress()).outputs, new Map([['o', 77n]]));
});

test('NamespacedStore nests', async t => {
  const below = new InMemoryStore();
  const inner = new NamespacedStore(new NamespacedStore(below, 'a'), 'b');
  await inner.commit([['x', sampleMemoryRecord(1)]], {partitions: new Map(), outputs: new Map()});
  t.deepEqual(await new NamespacedStore(new NamespacedStore(below, 'a'), 'b').get('x'), sampleMemoryRecord(1));
  t.is(await new NamespacedStore(new NamespacedStore(below, 'b'), 'a').get('x'), undefined);
});

for (const namespace of ['', 'a\0b', '\ud83d']) {
  test(`NamespacedStore refuses the namespace ${JSON.stringify(namespace)}`, t => {
    t.throws(() => new NamespacedStore(new InMemoryStore(), namespace), {
      instanceOf: RangeError,
      message: /Cannot construct NamespacedStore as namespace must be text without NUL/,
    });
  });
}
