import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import type {PartitionStores} from './partition-stores.ts';

/** Keeps memories while a partition is worked on; whoever works on it next restores them from the changelog. */
export class InMemoryPartitionStores implements PartitionStores {
  async open(): Promise<InMemoryStore> {
    return new InMemoryStore();
  }

  async discard(): Promise<void> {}

  async stored(): Promise<readonly number[]> {
    return [];
  }
}
