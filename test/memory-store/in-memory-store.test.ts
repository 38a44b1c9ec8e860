import test from 'ava';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import {testMemoryStore} from '../conformance/memory-store.ts';

testMemoryStore(test, async () => ({open: async () => new InMemoryStore(), remove: async () => {}}), {
  name: 'InMemoryStore',
});
