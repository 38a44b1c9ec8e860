import {CorruptMemoryError, MemoryMismatchError, StoreError} from '../../errors.ts';
import type {MemoryChange, MemoryStore} from '../../memory-store/memory-store.ts';
import type {PartitionProgress} from '../../pipeline/progress.ts';
import {ChangelogReader} from './changelog.ts';
import type {Fetched, PartitionReader} from './kafka-client.ts';
import {changelogOutput} from './replicated-store.ts';

/** How far a changelog has been read. */
export type RestoreProgress = {
  /** Where reading has got to in the changelog. */
  readonly offset: bigint;
  readonly endOffset: bigint;
  /** Of memories, read so far. */
  readonly bytes: number;
  readonly documents: number;
};

export type RestoreStoreOptions = {
  readonly local: MemoryStore;
  /** Of the changelog. */
  readonly reader: PartitionReader;
  readonly changelog: string;
  readonly partition: number;
  /** The input partition's name in progress. */
  readonly source: string;
  readonly fingerprint: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
};

export type Restored = RestoreProgress & {
  /** Where the input is to be read on, or `undefined` if it never was read. */
  readonly nextOffset: bigint | undefined;
  /** Of the input that was read, if it is known. */
  readonly topicId: string | undefined;
};

const fetchBytes = 8 * 1024 * 1024;
const fetchWaitMs = 500;

/** What is read before the local store is made to keep it, so that an interrupted restore does not begin anew. */
const commitBytes = 128 * 1024 * 1024;

/**
 * Brings a local store up to the end of its changelog, reading only what it lacks.
 *
 * @throws {StoreError} If the local store has read on in the changelog beyond its end.
 * @throws {CorruptMemoryError} If the local store has taken in a checkpoint that the changelog does not have.
 * @throws {MemoryMismatchError} If another model wrote the changelog.
 */
export async function restoreStore(options: RestoreStoreOptions): Promise<Restored> {
  const {local, reader, changelog, partition, source, fingerprint, signal, onProgress} = options;
  const output = changelogOutput(changelog, partition);
  const stored = await local.progress();
  const {startOffset, endOffset} = await reader.range({signal});
  let offset = stored.outputs.get(output) ?? 0n;
  if (offset > endOffset) {
    throw new StoreError(
      `Cannot restore partition ${partition} as its local store must not be ahead of topic "${changelog}": the store is at offset ${offset}, the topic ends at ${endOffset}; has the topic been made anew? Remove the local store, or use another application name`,
    );
  }
  if (offset < startOffset) offset = startOffset;
  const changes = new ChangelogReader();
  let bytes = 0;
  let documents = 0;
  let next: Promise<Fetched> | undefined;
  const fetch = () => {
    next = reader.fetch(offset, {maxBytes: fetchBytes, maxWaitMs: fetchWaitMs, signal});
    next.catch(() => {});
  };
  if (offset < endOffset) fetch();

  async function* part(): AsyncGenerator<MemoryChange, void> {
    for (const limit = bytes + commitBytes; bytes < limit && offset < endOffset; ) {
      const {messages, nextOffset} = await next!;
      offset = nextOffset;
      if (offset < endOffset) fetch();
      for (const message of messages) {
        bytes += message.value?.length ?? 0;
        const change = changes.push(message);
        if (change === undefined) continue;
        documents++;
        yield change;
      }
      onProgress?.({offset, endOffset, bytes, documents});
    }
  }

  while (offset < endOffset) {
    await local.commit(part(), {partitions: new Map(), outputs: new Map()});
    const {progress, progressOffset, unfinishedOffset} = changes;
    const partitions = new Map<string, PartitionProgress>();
    if (progress !== undefined) partitions.set(source, {nextOffset: progress.nextOffset, ended: false});
    // From the latest progress on, so that it is seen the next time that it is still there.
    const resumeOffset = progressOffset ?? unfinishedOffset ?? offset;
    await local.commit([], {partitions, outputs: new Map([[output, resumeOffset]])});
  }
  const before = stored.partitions.get(source)?.nextOffset;
  if (
    before !== undefined &&
    stored.outputs.has(output) &&
    !(changes.progress && changes.progress.nextOffset >= before)
  ) {
    throw new CorruptMemoryError(
      `Cannot restore partition ${partition} as its local store must not be ahead of topic "${changelog}": the store has read the input up to ${before}, the topic tells of ${changes.progress?.nextOffset ?? 'nothing since the store was last restored'}; a checkpoint was dropped that had been committed`,
    );
  }
  if (
    fingerprint !== undefined &&
    changes.progress?.fingerprint !== undefined &&
    changes.progress.fingerprint !== fingerprint
  ) {
    throw new MemoryMismatchError(
      `Cannot restore partition ${partition} for model ${fingerprint} as topic "${changelog}" was written by model ${changes.progress.fingerprint}: use that model, or another application name`,
    );
  }
  const {partitions: known} = await local.progress();
  const nextOffset = known.get(source)?.nextOffset;
  return {nextOffset, topicId: changes.progress?.topicId, offset, endOffset, bytes, documents};
}
