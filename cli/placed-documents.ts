import type {MemoryRecord} from '../memory-store/memory-record.ts';
import type {KeysOptions, MemoryChange, MemoryStore} from '../memory-store/memory-store.ts';
import type {Progress} from '../pipeline/progress.ts';

/** A store for documents that are inputs of their own: one of the same name in another place is another document. */
export class PlacedDocuments implements MemoryStore {
  readonly supports: MemoryStore['supports'];
  readonly #store: MemoryStore;
  readonly #partitions: ReadonlyMap<string, string>;

  /**
   * @param store Disposed of with this.
   * @param partitions The only partition of each document.
   */
  constructor(store: MemoryStore, partitions: ReadonlyMap<string, string>) {
    this.supports = store.supports;
    this.#store = store;
    this.#partitions = partitions;
  }

  async get(documentId: string): Promise<MemoryRecord | undefined> {
    const record = await this.#store.get(documentId);
    const expected = this.#partitions.get(documentId);
    return record !== undefined && (expected ?? record.position.partition) !== record.position.partition
      ? undefined
      : record;
  }

  commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    return this.#store.commit(changes, progress);
  }

  progress(): Promise<Progress> {
    return this.#store.progress();
  }

  keys(options?: KeysOptions): AsyncIterable<string> {
    return this.#store.keys(options);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}
