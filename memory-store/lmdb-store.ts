import {statfs} from 'node:fs/promises';
import {setImmediate} from 'node:timers/promises';
import {CorruptMemoryError, StoreError} from '../errors.ts';
import type {Progress} from '../pipeline/progress.ts';
import {checkName} from './check-name.ts';
import {CommitQueue} from './commit-queue.ts';
import {decodeMemoryRecord} from './decode-memory-record.ts';
import type {LmdbTables} from './lmdb/lmdb-tables.ts';
import {StoreAccess} from './lmdb/store-access.ts';
import {storeFingerprint} from './lmdb/store-fingerprint.ts';
import {storedEntries} from './lmdb/stored-entries.ts';
import {storedProgress} from './lmdb/stored-progress.ts';
import {type MemoryDtype, memoryDtypes} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';
import type {KeysOptions, MemoryChange, MemoryStore, StoreSize} from './memory-store.ts';
import {prepareFolder} from './prepare-folder.ts';
import {openSealedValue, sealValue} from './sealed-value.ts';
import {type Entry, type StagedChanges, type StoredRecords, stageChanges} from './stage-changes.ts';
import {storedKey} from './stored-key.ts';

export type LmdbStoreOptions = {
  /**
   * How new memories are stored; those already stored are read whatever they are.
   *
   * @default 'float32'
   */
  readonly dtype?: MemoryDtype;
  /**
   * Opens beside a writer and sees what it has committed. Nothing is created that stays.
   *
   * @default false
   */
  readonly readOnly?: boolean;
  /**
   * Bytes that stored records may take, those that a commit replaces included until it is done; a commit that would need
   * more fails. The data file is larger by what LMDB needs to find them and by gaps between them.
   *
   * @default Infinity
   */
  readonly maxBytes?: number;
  /** Fingerprint of the model that will read and write; without it, memories of several models may share the store. */
  readonly fingerprint?: string;
};

const spareBytes = 2 ** 20;
const entriesAtOnce = 1000;
const recordsKey = Buffer.from('records');
const commitsKey = Buffer.from('commits');

/**
 * Keeps memories in a folder of the local disk, in LMDB. One process at a time writes, any number read.
 *
 * A commit first writes its records, part by part, where no document points to them; one last transaction then turns all
 * its documents to the new records and advances progress. So a commit of any size takes the memory of two parts, and is
 * seen as a whole or not at all.
 */
export class LmdbStore implements MemoryStore {
  readonly supports = {persistent: true, atomicCommit: true, shared: false};
  readonly #path: string;
  readonly #options: LmdbStoreOptions;
  readonly #queue: CommitQueue;
  readonly #access: StoreAccess;
  readonly #tables: LmdbTables;
  #stored: StoredRecords = [0, 0];
  /** How many commits the store has seen. */
  #commits = 0;

  /**
   * Opens a store, and makes it if there is none.
   *
   * @param path A folder on a local disk.
   * @throws {StoreError} If the folder cannot be used, holds something else or a damaged store, was written by a newer
   * version of Palimpsest, or is being written by another process.
   * @throws {MemoryMismatchError} If another model wrote the store.
   */
  static async open(path: string, options: LmdbStoreOptions = {}): Promise<LmdbStore> {
    const {readOnly = false, maxBytes = Number.POSITIVE_INFINITY, dtype = 'float32'} = options;
    if (!(maxBytes > 0)) {
      throw new RangeError(`Cannot open LmdbStore as maxBytes must be positive: current value is ${maxBytes}`);
    }
    if (!memoryDtypes.includes(dtype)) {
      throw new RangeError(
        `Cannot open LmdbStore as dtype must be one of ${memoryDtypes.join(', ')}: current value is ${dtype}`,
      );
    }
    const folder = await prepareFolder(path, {readOnly});
    try {
      const access = await StoreAccess.open(folder, {readOnly, fingerprint: options.fingerprint});
      const store = new LmdbStore(folder, {options, access});
      try {
        if (!readOnly) await store.#removeRecords();
        return store;
      } catch (error) {
        await store[Symbol.asyncDispose]();
        throw error;
      }
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      throw new StoreError(
        `Cannot open the store at "${folder}" as LMDB refuses it: ${(cause as Error).message}; if its data is damaged, restore it from a backup, or remove the folder and replay the input`,
        {cause},
      );
    }
  }

  private constructor(folder: string, {options, access}: {options: LmdbStoreOptions; access: StoreAccess}) {
    this.#path = folder;
    this.#options = options;
    this.#queue = new CommitQueue(`the store at "${folder}"`);
    this.#access = access;
    this.#tables = access.tables;
  }

  async get(documentId: string): Promise<MemoryRecord | undefined> {
    const bytes = this.#encoded(documentId);
    return bytes && decodeMemoryRecord(bytes, documentId);
  }

  /** Bytes that a document's record takes in the store, or `undefined` if there is none. Throws as {@link get} does. */
  async storedBytes(documentId: string): Promise<number | undefined> {
    return this.#encoded(documentId)?.byteLength;
  }

  /**
   * As {@link MemoryStore.commit}. Records are encoded one at a time while the event loop runs, and must not be changed
   * before the promise settles.
   */
  async commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void> {
    if (this.#options.readOnly) {
      throw new StoreError(
        `Cannot commit to the store at "${this.#path}" as it must be open for writing: it is open for reading`,
      );
    }
    await this.#queue.run(async () => {
      this.#checkCommits();
      try {
        const staged = await stageChanges(changes, {
          stored: this.#stored,
          dtype: this.#options.dtype ?? 'float32',
          fingerprint: this.#options.fingerprint,
          maxBytes: this.#options.maxBytes ?? Number.POSITIVE_INFINITY,
          write: async (part, bytes) => {
            await this.#checkSpace(bytes);
            await this.#tables.write(() => {
              for (const [number, record] of part) this.#tables.records.put(numberKey(number), record);
            });
          },
        });
        await this.#turn(staged, progress);
      } catch (error) {
        // Should this fail as well, the next open removes them.
        await this.#removeRecords().catch(() => {});
        throw error;
      }
    });
  }

  async progress(): Promise<Progress> {
    this.#queue.checkOpen('read progress');
    return storedProgress.read(this.#tables);
  }

  /** What is stored now. */
  size(): StoreSize {
    this.#queue.checkOpen('measure what is stored');
    const [, bytes] = this.#tables.metaValue<StoredRecords>(recordsKey) ?? [0, 0];
    return {documents: (this.#tables.documents.getStats() as {entryCount: number}).entryCount, bytes};
  }

  async *keys({partitions, before}: KeysOptions = {}): AsyncIterable<string> {
    const beforePage = () => this.#queue.checkOpen('list documents');
    for await (const [documentId, , , partition, timestamp] of storedEntries.all(this.#tables, {beforePage})) {
      if (partitions?.has(partition ?? (await this.get(documentId))?.position.partition ?? '') === false) continue;
      if (before !== undefined && !((timestamp ?? (await this.get(documentId))?.timestamp ?? before) < before))
        continue;
      yield documentId;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close(() => this.#access.close());
  }

  /** Turns documents to their staged records, forgets and advances progress, in one transaction. */
  async #turn({entries, superfluous, stored, fingerprint}: StagedChanges, progress: Progress): Promise<void> {
    const writes: (() => void)[] = [];
    const [nextNumber] = stored;
    let [, usedBytes] = stored;
    const remove = ([, number, bytes]: Entry) => {
      writes.push(() => this.#tables.records.remove(numberKey(number)));
      usedBytes -= bytes;
    };
    for (const entry of superfluous) remove(entry);
    let count = 0;
    for (const [documentId, entry] of entries) {
      const key = storedKey.of(documentId);
      const old = storedEntries.at(this.#tables, key);
      if (old !== undefined) remove(old);
      if (entry === undefined) {
        writes.push(() => this.#tables.documents.remove(key));
      } else {
        const value = sealValue(entry);
        writes.push(() => this.#tables.documents.put(key, value));
      }
      if (++count % entriesAtOnce === 0) await setImmediate();
    }
    writes.push(...storedProgress.puts(this.#tables, progress), ...storeFingerprint.puts(this.#tables, fingerprint));
    const left: StoredRecords = [nextNumber, usedBytes];
    writes.push(
      () => this.#tables.meta.put(recordsKey, sealValue(left)),
      () => this.#tables.meta.put(commitsKey, sealValue(this.#commits + 1)),
    );
    await this.#tables.write(() => {
      for (const write of writes) write();
    });
    this.#stored = left;
    this.#commits++;
  }

  /** Whatever else writes to the store, or opens it by other means, can make LMDB lose a commit. */
  #checkCommits(): void {
    const commits = this.#tables.metaValue<number>(commitsKey) ?? 0;
    if (commits === this.#commits) return;
    throw new StoreError(
      `Cannot commit to the store at "${this.#path}" as its last commit must be number ${this.#commits}: current number is ${commits}; keep other programs and containers away from the folder, and start again from what it holds`,
    );
  }

  /** Removes records of a commit that did not end; what is stored says which they are, whatever its promise said. */
  async #removeRecords(): Promise<void> {
    this.#stored = this.#tables.metaValue<StoredRecords>(recordsKey) ?? [0, 0];
    this.#commits = this.#tables.metaValue<number>(commitsKey) ?? 0;
    const keys = [...this.#tables.records.getKeys({start: numberKey(this.#stored[0])})].map(key => Buffer.from(key));
    if (keys.length === 0) return;
    await this.#tables.write(() => {
      for (const key of keys) this.#tables.records.remove(key);
    });
    // LMDB uses freed pages again only after one more transaction.
    await this.#tables.write(() => this.#tables.meta.put(recordsKey, sealValue(this.#stored)));
  }

  async #checkSpace(bytes: number): Promise<void> {
    const {bavail, bsize} = await statfs(this.#path);
    const free = bavail * bsize;
    if (free < bytes + spareBytes) {
      throw new StoreError(
        `Cannot commit to the store at "${this.#path}" as the disk must have ${bytes + spareBytes} bytes free: current value is ${free}; nothing was changed, make room and try again`,
      );
    }
  }

  #encoded(documentId: string): Uint8Array | undefined {
    this.#queue.checkOpen('read a memory');
    checkName('document', documentId);
    try {
      return this.#tables.read(options => {
        const sealed = this.#tables.documents.get(storedKey.of(documentId), options);
        if (sealed === undefined) return undefined;
        const [, number] = openSealedValue<Entry>(sealed, `where the memory of document "${documentId}" lies`);
        const bytes = this.#tables.records.get(numberKey(number), options);
        if (bytes === undefined) throw new Error('the record is missing');
        return bytes;
      });
    } catch (cause) {
      throw new CorruptMemoryError(
        `Cannot read the memory of document "${documentId}" as ${(cause as Error).message}: forget the document and replay its input`,
        {cause},
      );
    }
  }
}

function numberKey(number: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(number));
  return key;
}
