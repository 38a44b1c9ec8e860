import type {MemoryRecord} from '../memory-store/memory-record.ts';
import type {MemoryChange, MemoryStore} from '../memory-store/memory-store.ts';
import type {Progress} from '../pipeline/progress.ts';

export type CurrentReadingOptions = {
  /** Partition of each input, and where the reading of it stands: 0 if it begins. */
  readonly inputs: ReadonlyMap<string, bigint>;
  /** The only partition of a document, for documents that are inputs of their own. */
  readonly partitions?: ReadonlyMap<string, string>;
};

/**
 * A store without what earlier readings of the same inputs remember: documents are read anew when their input is.
 *
 * A memory reaches no further into an input than the progress that was committed with it. One that does was left by an
 * earlier reading of that input.
 */
export class CurrentReading implements MemoryStore {
  readonly supports: MemoryStore['supports'];
  readonly #store: MemoryStore;
  readonly #read: Map<string, bigint>;
  readonly #partitions: ReadonlyMap<string, string>;

  /** @param store Disposed of with this. */
  constructor(store: MemoryStore, {inputs, partitions = new Map()}: CurrentReadingOptions) {
    this.supports = store.supports;
    this.#store = store;
    this.#read = new Map(inputs);
    this.#partitions = partitions;
  }

  async get(documentId: string): Promise<MemoryRecord | undefined> {
    const record = await this.#store.get(documentId);
    if (record === undefined) return undefined;
    const {partition, offset} = record.position;
    if ((this.#partitions.get(documentId) ?? partition) !== partition) return undefined;
    const read = this.#read.get(partition);
    return read !== undefined && offset >= read ? undefined : record;
  }

  async commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    await this.#store.commit(changes, progress);
    for (const [partition, {nextOffset}] of progress.partitions) this.#read.set(partition, nextOffset);
  }

  progress(): Promise<Progress> {
    return this.#store.progress();
  }

  keys(): AsyncIterable<string> {
    return this.#store.keys();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}
