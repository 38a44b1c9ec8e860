import {PipelineError} from '../../errors.ts';
import {LentBuffers} from '../../memory-store/lent-buffers.ts';
import type {MemoryDtype} from '../../memory-store/memory-dtype.ts';
import type {MemoryRecord} from '../../memory-store/memory-record.ts';
import type {KeysOptions, MemoryChange, MemoryStore} from '../../memory-store/memory-store.ts';
import type {PartitionProgress, Progress} from '../../pipeline/progress.ts';
import {forgetMessages, memoryMessages, progressMessage} from './changelog.ts';
import type {PartitionWriter} from './partition-writer.ts';

export type ReplicatedStoreOptions = {
  /** Where memories are read from. */
  readonly local: MemoryStore;
  readonly writer: PartitionWriter;
  readonly topic: string;
  readonly partition: number;
  readonly changelog: string;
  /** Where the changelog goes on, all before it being in the local store. */
  readonly changelogOffset: bigint;
  readonly group: string;
  readonly dtype: MemoryDtype;
  readonly fingerprint: string | undefined;
  /** Of the input. */
  readonly topicId: string | undefined;
  /** Whether nothing may come for a while behind this offset of the input. */
  readonly isLast: (nextOffset: bigint) => boolean;
};

/** How often the group's offset is stored while there is more to read: it takes as long as a third of a small checkpoint. */
const mirrorMs = 1000;

/** Name under which a local store keeps how much of the changelog is in it. */
export function changelogOutput(changelog: string, partition: number): string {
  return `kafka:${changelog}/${partition}`;
}

/**
 * The memories of one partition: in a local store, and in a changelog from which any other worker can restore them.
 *
 * A commit writes each changed memory into the changelog while the local store takes it in where nobody sees it yet; then
 * progress; then the transaction is committed, with all results that were written before; only then the local store turns to
 * the new memories. Should the process die before that last step, the changelog makes up for it.
 */
export class ReplicatedStore implements MemoryStore {
  readonly supports: MemoryStore['supports'];
  readonly #options: ReplicatedStoreOptions;
  #changelogOffset: bigint;
  #mirrored = Number.NEGATIVE_INFINITY;
  #committed: ReadonlyMap<string, PartitionProgress> | undefined;

  constructor(options: ReplicatedStoreOptions) {
    this.supports = options.local.supports;
    this.#options = options;
    this.#changelogOffset = options.changelogOffset;
  }

  get(documentId: string): Promise<MemoryRecord | undefined> {
    return this.#options.local.get(documentId);
  }

  progress(): Promise<Progress> {
    return this.#options.local.progress();
  }

  keys(options?: KeysOptions): AsyncIterable<string> {
    return this.#options.local.keys(options);
  }

  async commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    if (this.#committed === progress.partitions) {
      throw new PipelineError(
        'Cannot commit memories as one stage of a pipeline may have a store that is replicated: this is the second of the same checkpoint',
      );
    }
    const {local, changelog, partition} = this.#options;
    // The local store is to know of the transaction before this one: that this one is in it, its own progress says.
    const outputs = new Map(progress.outputs).set(changelogOutput(changelog, partition), this.#changelogOffset);
    this.#committed = progress.partitions;
    const buffers = new LentBuffers();
    try {
      await local.commit(this.#replicated(changes, {progress, buffers}), {partitions: progress.partitions, outputs});
    } catch (error) {
      // What failed may go on to read them.
      buffers.giveUp();
      throw error;
    }
    buffers.giveBack();
  }

  /** Commits a checkpoint at which no stage had memories to write. */
  async finish(progress: Progress): Promise<void> {
    if (this.#committed !== progress.partitions) await this.commit([], progress);
  }

  /** The local store is closed by whoever opened it. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async *#replicated(
    changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>,
    {progress: {partitions}, buffers}: {progress: Progress; buffers: LentBuffers},
  ): AsyncGenerator<MemoryChange, void> {
    const {local, writer, topic, partition, changelog, group, dtype, fingerprint, topicId, isLast} = this.#options;
    const moved = partitions.get(`${topic}/${partition}`);
    for await (const change of changes) {
      const [documentId, record] = change;
      const messages =
        record === undefined
          ? forgetMessages(documentId, await local.get(documentId))
          : memoryMessages(documentId, record, {dtype, checkpoint: moved?.nextOffset ?? 0n, buffers});
      for (const message of messages) await writer.write(changelog, partition, message);
      yield change;
    }
    if (moved === undefined) return writer.commit();
    const {nextOffset} = moved;
    const last = await writer.append(changelog, partition, progressMessage({nextOffset, fingerprint, topicId}));
    const now = performance.now();
    const mirror = now - this.#mirrored >= mirrorMs || isLast(nextOffset);
    await writer.commit(mirror ? {group, topic, partition, nextOffset} : undefined);
    if (mirror) this.#mirrored = now;
    this.#changelogOffset = last + 1n;
  }
}
