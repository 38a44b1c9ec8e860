import type {PartitionProgress, Progress} from '../pipeline/progress.ts';
import {checkName} from './check-name.ts';
import {CommitQueue} from './commit-queue.ts';
import {decodeMemoryRecord} from './decode-memory-record.ts';
import {encodeMemoryRecord} from './encode-memory-record.ts';
import type {MemoryRecord} from './memory-record.ts';
import type {MemoryChange, MemoryStore} from './memory-store.ts';

/** Keeps memories for as long as the process lives. It holds encoded bytes, so that nobody can change what is stored. */
export class InMemoryStore implements MemoryStore {
  readonly supports = {persistent: false, atomicCommit: true, shared: false};
  readonly #queue = new CommitQueue('the store in memory');
  readonly #memories = new Map<string, Uint8Array>();
  readonly #partitions = new Map<string, PartitionProgress>();
  readonly #outputs = new Map<string, bigint>();

  async get(documentId: string): Promise<MemoryRecord | undefined> {
    this.#queue.checkOpen('read a memory');
    checkName('document', documentId);
    const bytes = this.#memories.get(documentId);
    return bytes && decodeMemoryRecord(bytes, documentId);
  }

  async commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    await this.#queue.run(async () => {
      const staged = new Map<string, Uint8Array | undefined>();
      for await (const [documentId, record] of changes) {
        checkName('document', documentId);
        staged.set(documentId, record && encodeMemoryRecord(record));
      }
      for (const partition of progress.partitions.keys()) checkName('partition', partition);
      for (const output of progress.outputs.keys()) checkName('output', output);

      for (const [documentId, bytes] of staged) {
        if (bytes === undefined) this.#memories.delete(documentId);
        else this.#memories.set(documentId, bytes);
      }
      for (const [partition, {nextOffset, ended}] of progress.partitions) {
        this.#partitions.set(partition, {nextOffset, ended});
      }
      for (const [output, length] of progress.outputs) this.#outputs.set(output, length);
    });
  }

  async progress(): Promise<Progress> {
    this.#queue.checkOpen('read progress');
    return {
      partitions: new Map([...this.#partitions].map(([partition, progress]) => [partition, {...progress}])),
      outputs: new Map(this.#outputs),
    };
  }

  async *keys(): AsyncIterable<string> {
    this.#queue.checkOpen('list documents');
    yield* [...this.#memories.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close(async () => {
      this.#memories.clear();
    });
  }
}
