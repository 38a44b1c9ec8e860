import {StoreError} from '../errors.ts';
import type {Progress} from '../pipeline/progress.ts';
import {checkName} from './check-name.ts';
import type {MemoryRecord} from './memory-record.ts';
import type {KeysOptions, MemoryChange, MemoryStore} from './memory-store.ts';

/**
 * A part of another store under a prefix, so that several models or jobs share one store: documents, partitions and
 * outputs of one namespace are invisible in the others. Closing it leaves the store below open, which belongs to whoever
 * opened it.
 */
export class NamespacedStore implements MemoryStore {
  readonly supports: MemoryStore['supports'];
  readonly #store: MemoryStore;
  readonly #prefix: string;
  #closed = false;

  /**
   * @param namespace Any text without NUL, which ends it in the names below.
   * @throws {RangeError} If `namespace` is empty, holds NUL or is not well-formed Unicode.
   */
  constructor(store: MemoryStore, namespace: string) {
    if (!/^[^\0\p{Surrogate}]+$/u.test(namespace)) {
      throw new RangeError(
        `Cannot construct NamespacedStore as namespace must be text without NUL: current value is ${JSON.stringify(namespace)}`,
      );
    }
    this.supports = store.supports;
    this.#store = store;
    this.#prefix = `${namespace}\0`;
  }

  async get(documentId: string): Promise<MemoryRecord | undefined> {
    this.#checkOpen('read a memory');
    checkName('document', documentId);
    return this.#store.get(this.#prefix + documentId);
  }

  async commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    this.#checkOpen('commit');
    await this.#store.commit(this.#prefixed(changes), {
      partitions: this.#prefixedMap('partition', progress.partitions),
      outputs: this.#prefixedMap('output', progress.outputs),
    });
  }

  async progress(): Promise<Progress> {
    this.#checkOpen('read progress');
    const {partitions, outputs} = await this.#store.progress();
    return {partitions: this.#within(partitions), outputs: this.#within(outputs)};
  }

  async *keys(options?: KeysOptions): AsyncIterable<string> {
    this.#checkOpen('list documents');
    for await (const key of this.#store.keys(options)) {
      if (key.startsWith(this.#prefix)) yield key.slice(this.#prefix.length);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  async *#prefixed(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>): AsyncIterable<MemoryChange> {
    for await (const [documentId, record] of changes) {
      checkName('document', documentId);
      yield [this.#prefix + documentId, record];
    }
  }

  #prefixedMap<T>(kind: 'partition' | 'output', map: ReadonlyMap<string, T>): Map<string, T> {
    const prefixed = new Map<string, T>();
    for (const [name, value] of map) {
      checkName(kind, name);
      prefixed.set(this.#prefix + name, value);
    }
    return prefixed;
  }

  #within<T>(map: ReadonlyMap<string, T>): Map<string, T> {
    const within = new Map<string, T>();
    for (const [name, value] of map) {
      if (name.startsWith(this.#prefix)) within.set(name.slice(this.#prefix.length), value);
    }
    return within;
  }

  #checkOpen(action: string): void {
    if (this.#closed) throw new StoreError(`Cannot ${action} as the namespace must be open: it has been closed`);
  }
}
