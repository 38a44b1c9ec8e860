import test from 'ava';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import {testMemoryStore} from '../conformance/memory-store.ts';
import {checkSize} from './store-size.ts';

testMemoryStore(test, async () => ({open: async () => new InMemoryStore(), remove: async () => {}}), {
  name: 'InMemoryStore',
});

test('InMemoryStore tells how much it holds', async t => {
  await checkSize(t, new InMemoryStore());
});
