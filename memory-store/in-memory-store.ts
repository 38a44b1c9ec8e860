import type {PartitionProgress, Progress} from '../pipeline/progress.ts';
import {checkName} from './check-name.ts';
import {CommitQueue} from './commit-queue.ts';
import {decodeMemoryRecord} from './decode-memory-record.ts';
import {encodeMemoryRecord} from './encode-memory-record.ts';
import type {MemoryRecord} from './memory-record.ts';
import type {KeysOptions, MemoryChange, MemoryStore, StoreSize} from './memory-store.ts';

type StoredMemory = {readonly bytes: Uint8Array; readonly partition: string; readonly timestamp: number};

/** Keeps memories for as long as the process lives. It holds encoded bytes, so that nobody can change what is stored. */
export class InMemoryStore implements MemoryStore {
  readonly supports = {persistent: false, atomicCommit: true, shared: false};
  readonly #queue = new CommitQueue('the store in memory');
  readonly #memories = new Map<string, StoredMemory>();
  readonly #partitions = new Map<string, PartitionProgress>();
  readonly #outputs = new Map<string, bigint>();

  async get(documentId: string): Promise<MemoryRecord | undefined> {
    this.#queue.checkOpen('read a memory');
    checkName('document', documentId);
    const memory = this.#memories.get(documentId);
    return memory && decodeMemoryRecord(memory.bytes, documentId);
  }

  async commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    await this.#queue.run(async () => {
      const staged = new Map<string, StoredMemory | undefined>();
      for await (const [documentId, record] of changes) {
        checkName('document', documentId);
        staged.set(
          documentId,
          record && {
            bytes: encodeMemoryRecord(record),
            partition: record.position.partition,
            timestamp: record.timestamp,
          },
        );
      }
      for (const partition of progress.partitions.keys()) checkName('partition', partition);
      for (const output of progress.outputs.keys()) checkName('output', output);

      for (const [documentId, memory] of staged) {
        if (memory === undefined) this.#memories.delete(documentId);
        else this.#memories.set(documentId, memory);
      }
      for (const [partition, reached] of progress.partitions) {
        this.#partitions.set(partition, {...reached});
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

  async *keys({partitions, before = Number.POSITIVE_INFINITY}: KeysOptions = {}): AsyncIterable<string> {
    this.#queue.checkOpen('list documents');
    for (const [documentId, {partition, timestamp}] of [...this.#memories]) {
      if (timestamp < before && (partitions === undefined || partitions.has(partition))) yield documentId;
    }
  }

  /** What is stored now. */
  size(): StoreSize {
    this.#queue.checkOpen('measure what is stored');
    let bytes = 0;
    for (const memory of this.#memories.values()) bytes += memory.bytes.length;
    return {documents: this.#memories.size, bytes};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close(async () => {
      this.#memories.clear();
    });
  }
}
