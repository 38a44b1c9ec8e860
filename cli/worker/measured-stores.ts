import type {PartitionStores} from '../../connectors/kafka/partition-stores.ts';
import type {MemoryStore, StoreSize} from '../../memory-store/memory-store.ts';

type SizedStore = MemoryStore & {size(): StoreSize};

type SizedStores = Omit<PartitionStores, 'open'> & {open(partition: number): Promise<SizedStore>};

/** Partition stores that tell how much each of those that are open holds. */
export class MeasuredStores implements PartitionStores {
  readonly #stores: SizedStores;
  readonly #open = new Map<number, SizedStore>();

  constructor(stores: SizedStores) {
    this.#stores = stores;
  }

  async open(partition: number): Promise<SizedStore> {
    const store = await this.#stores.open(partition);
    this.#open.set(partition, store);
    return store;
  }

  discard(partition: number): Promise<void> {
    return this.#stores.discard(partition);
  }

  stored(): Promise<readonly number[]> {
    return this.#stores.stored();
  }

  *sizes(): Generator<readonly [partition: number, size: StoreSize]> {
    for (const [partition, store] of this.#open) {
      let size: StoreSize;
      try {
        size = store.size();
      } catch {
        // It has been closed.
        this.#open.delete(partition);
        continue;
      }
      yield [partition, size];
    }
  }
}
