import type {MemoryStore} from '../../memory-store/memory-store.ts';

/** Where a worker keeps the memories of its partitions, one store for each. */
export interface PartitionStores {
  /** @throws {CorruptMemoryError} If what is there is damaged; it can be discarded, and restored from the changelog. */
  open(partition: number): Promise<MemoryStore>;
  /** Removes a partition's store, which is not open. */
  discard(partition: number): Promise<void>;
  /** Partitions of which there is something. */
  stored(): Promise<readonly number[]>;
}
