import {statfs} from 'node:fs/promises';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {type Database, open, type RootDatabase} from 'lmdb';
import {CorruptMemoryError, MemoryMismatchError, StoreError} from '../errors.ts';
import type {PartitionProgress, Progress} from '../pipeline/progress.ts';
import {checkDataFile} from './check-data-file.ts';
import {checkName} from './check-name.ts';
import {CommitQueue} from './commit-queue.ts';
import {decodeMemoryRecord} from './decode-memory-record.ts';
import {type MemoryDtype, memoryDtypes} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';
import type {MemoryChange, MemoryStore} from './memory-store.ts';
import {prepareFolder} from './prepare-folder.ts';
import {currentProcess, isRunning, type ProcessIdentity} from './process-identity.ts';
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
   * Opens beside a writer and sees what it has committed. Nothing is created.
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

type Table = Database<Buffer, Buffer>;
type Environment = RootDatabase<Buffer, Buffer>;
type StoredProgress = readonly [partition: string, nextOffset: string, ended: boolean];
type StoredLength = readonly [output: string, length: string];

const storeFormat = 1;
const spareBytes = 2 ** 20;
const pageOfKeys = 1000;
const binary = {encoding: 'binary', keyEncoding: 'binary'} as const;
const formatKey = Buffer.from('format');
const fingerprintKey = Buffer.from('fingerprint');
const recordsKey = Buffer.from('records');
const writerKey = Buffer.from('writer');
/** LMDB cannot write through an environment that this process has opened for reading first. */
const readersHere = new Map<string, number>();

/**
 * Keeps memories in a folder of the local disk, in LMDB. One process at a time writes, any number read.
 *
 * A commit first writes its records, part by part, where no document points to them; one last transaction then turns all
 * its documents to the new records and advances progress. So a commit of any size takes the memory of one part, and is
 * seen as a whole or not at all.
 */
export class LmdbStore implements MemoryStore {
  readonly supports = {persistent: true, atomicCommit: true, shared: false};
  readonly #path: string;
  readonly #options: LmdbStoreOptions;
  readonly #queue: CommitQueue;
  readonly #environment: Environment;
  readonly #meta: Table;
  /** Documents and the numbers of their records. */
  readonly #documents: Table;
  /** Encoded records by number. Those from the next number on belong to a commit that has not ended. */
  readonly #records: Table;
  readonly #partitions: Table;
  readonly #outputs: Table;
  #stored: StoredRecords = [0, 0];

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
    await checkDataFile(join(folder, 'data.mdb'), {readOnly});
    if (!readOnly && readersHere.has(folder)) {
      throw new StoreError(
        `Cannot open the store at "${folder}" for writing as it must be opened for writing before it is opened for reading: this process has it open for reading; close that first`,
      );
    }
    try {
      // Without overlapping sync, a transaction is on the disk once its promise resolves. Without event-turn batching,
      // there is no promise that nobody can catch.
      const environment: Environment = open(folder, {
        ...binary,
        noSubdir: false,
        readOnly,
        maxDbs: 8,
        overlappingSync: false,
        eventTurnBatching: false,
      });
      let store: LmdbStore | undefined;
      try {
        store = new LmdbStore(folder, options, environment);
        if (!readOnly) await store.#removeRecords();
        return store;
      } catch (error) {
        await (store === undefined ? environment.close() : store[Symbol.asyncDispose]());
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

  private constructor(folder: string, options: LmdbStoreOptions, environment: Environment) {
    this.#path = folder;
    this.#options = options;
    this.#queue = new CommitQueue(`the store at "${folder}"`);
    this.#environment = environment;
    const isNew = environment.getKeysCount({limit: 1}) === 0;
    // LMDB lists its tables by names that end in NUL.
    if (!isNew && !environment.doesExist(Buffer.from('palimpsest\0'))) throw foreign(folder);
    this.#meta = this.#table('palimpsest');
    this.#checkFormat();
    this.#documents = this.#table('documents');
    this.#records = this.#table('records');
    this.#partitions = this.#table('partitions');
    this.#outputs = this.#table('outputs');
    this.#checkFingerprint();
    if (options.readOnly) {
      readersHere.set(folder, (readersHere.get(folder) ?? 0) + 1);
    } else {
      // LMDB admits one such transaction at a time in all processes.
      environment.transactionSync(() => this.#claim());
    }
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
      try {
        const staged = await stageChanges(changes, {
          stored: this.#stored,
          dtype: this.#options.dtype ?? 'float32',
          fingerprint: this.#options.fingerprint,
          maxBytes: this.#options.maxBytes ?? Number.POSITIVE_INFINITY,
          write: async (part, bytes) => {
            await this.#checkSpace(bytes);
            await this.#write(() => {
              for (const [number, record] of part) this.#records.put(numberKey(number), record);
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
    const transaction = this.#environment.useReadTransaction();
    try {
      const partitions = new Map<string, PartitionProgress>();
      for (const {value} of this.#partitions.getRange({transaction})) {
        const [partition, nextOffset, ended] = openSealedValue<StoredProgress>(value, 'the progress of a partition');
        partitions.set(partition, {nextOffset: BigInt(nextOffset), ended});
      }
      const outputs = new Map<string, bigint>();
      for (const {value} of this.#outputs.getRange({transaction})) {
        const [output, length] = openSealedValue<StoredLength>(value, 'the length of an output');
        outputs.set(output, BigInt(length));
      }
      return {partitions, outputs};
    } finally {
      transaction.done();
    }
  }

  async *keys(): AsyncIterable<string> {
    let last: Buffer | undefined;
    for (;;) {
      this.#queue.checkOpen('list documents');
      // A page at a time: an iterator left open would keep LMDB from using freed space again.
      const page: string[] = [];
      for (const {key, value} of this.#documents.getRange({
        ...(last && {start: last, exclusiveStart: true}),
        limit: pageOfKeys,
      })) {
        page.push(openSealedValue<Entry>(value, 'the name of a document')[0]);
        last = Buffer.from(key);
      }
      yield* page;
      if (page.length < pageOfKeys) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close(async () => {
      try {
        if (!this.#options.readOnly) await this.#write(() => this.#meta.remove(writerKey));
      } finally {
        await this.#environment.close();
        if (this.#options.readOnly) {
          const others = readersHere.get(this.#path)! - 1;
          if (others === 0) readersHere.delete(this.#path);
          else readersHere.set(this.#path, others);
        }
      }
    });
  }

  /** Turns documents to their staged records, forgets and advances progress, in one transaction. */
  async #turn({entries, superfluous, stored, fingerprint}: StagedChanges, progress: Progress): Promise<void> {
    const writes: (() => void)[] = [];
    const [nextNumber] = stored;
    let [, usedBytes] = stored;
    const remove = ([, number, bytes]: Entry) => {
      writes.push(() => this.#records.remove(numberKey(number)));
      usedBytes -= bytes;
    };
    for (const entry of superfluous) remove(entry);
    let count = 0;
    for (const [documentId, entry] of entries) {
      const key = storedKey(documentId);
      const old = this.#entryAt(key);
      if (old !== undefined) remove(old);
      if (entry === undefined) {
        writes.push(() => this.#documents.remove(key));
      } else {
        const value = sealValue(entry);
        writes.push(() => this.#documents.put(key, value));
      }
      if (++count % pageOfKeys === 0) await setImmediate();
    }
    for (const [partition, {nextOffset, ended}] of progress.partitions) {
      checkName('partition', partition);
      const value = sealValue([partition, nextOffset.toString(), ended] satisfies StoredProgress);
      writes.push(() => this.#partitions.put(storedKey(partition), value));
    }
    for (const [output, length] of progress.outputs) {
      checkName('output', output);
      const value = sealValue([output, length.toString()] satisfies StoredLength);
      writes.push(() => this.#outputs.put(storedKey(output), value));
    }
    if (fingerprint !== undefined && this.#metaValue(fingerprintKey) === undefined) {
      writes.push(() => this.#meta.put(fingerprintKey, sealValue(fingerprint)));
    }
    const left: StoredRecords = [nextNumber, usedBytes];
    writes.push(() => this.#meta.put(recordsKey, sealValue(left)));
    await this.#write(() => {
      for (const write of writes) write();
    });
    this.#stored = left;
  }

  /** Where a document's record lies; an entry that is damaged is as good as none, so that it can be overwritten or forgotten. */
  #entryAt(key: Buffer): Entry | undefined {
    const sealed = this.#documents.get(key);
    if (sealed === undefined) return undefined;
    try {
      return openSealedValue<Entry>(sealed, 'where a memory lies');
    } catch {
      return undefined;
    }
  }

  /** Removes records of a commit that did not end; what is stored says which they are, whatever its promise said. */
  async #removeRecords(): Promise<void> {
    this.#stored = this.#metaValue<StoredRecords>(recordsKey) ?? [0, 0];
    const keys = [...this.#records.getKeys({start: numberKey(this.#stored[0])})].map(key => Buffer.from(key));
    if (keys.length === 0) return;
    await this.#write(() => {
      for (const key of keys) this.#records.remove(key);
    });
    // LMDB uses freed pages again only after one more transaction.
    await this.#write(() => this.#meta.put(recordsKey, sealValue(this.#stored)));
  }

  /** Runs puts and removes in one transaction and resolves once it is on the disk. */
  async #write(writes: () => void): Promise<void> {
    try {
      await this.#environment.batch(writes);
    } catch (error) {
      const {commitError} = error as {commitError?: Promise<never>};
      const cause = (await commitError?.catch((reason: unknown) => reason)) ?? error;
      throw new StoreError(
        `Cannot commit to the store at "${this.#path}" as the disk must take all of it: ${(cause as Error).message}; nothing was changed, make room or check the disk and try again`,
        {cause},
      );
    }
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
    const transaction = this.#environment.useReadTransaction();
    let bytes: Uint8Array | undefined;
    try {
      const sealed = this.#documents.get(storedKey(documentId), {transaction});
      if (sealed === undefined) return undefined;
      const [, number] = openSealedValue<Entry>(sealed, `where the memory of document "${documentId}" lies`);
      bytes = this.#records.get(numberKey(number), {transaction});
      if (bytes === undefined) throw new Error('the record is missing');
    } catch (cause) {
      throw new CorruptMemoryError(
        `Cannot read the memory of document "${documentId}" as ${(cause as Error).message}: forget the document and replay its input`,
        {cause},
      );
    } finally {
      transaction.done();
    }
    return bytes;
  }

  #table(name: string): Table {
    const table: Table | undefined = this.#environment.openDB({...binary, name});
    if (table === undefined) throw foreign(this.#path);
    return table;
  }

  #metaValue<T>(key: Buffer): T | undefined {
    const sealed = this.#meta.get(key);
    return sealed && openSealedValue<T>(sealed, `"${key}" of the store at "${this.#path}"`);
  }

  #checkFormat(): void {
    const format = this.#metaValue<number>(formatKey);
    if (format !== undefined && format > storeFormat) {
      throw new StoreError(
        `Cannot open the store at "${this.#path}" as its format must be at most ${storeFormat}: current format is ${format}; upgrade Palimpsest`,
      );
    }
  }

  #checkFingerprint(): void {
    const {fingerprint} = this.#options;
    const stored = this.#metaValue<string>(fingerprintKey);
    if (fingerprint !== undefined && stored !== undefined && stored !== fingerprint) {
      throw new MemoryMismatchError(
        `Cannot open the store at "${this.#path}" as its memories must be of the model given, ${fingerprint}: they are of ${stored}; use the model that wrote them, or a new folder and replay the input`,
      );
    }
  }

  #claim(): void {
    const writer = this.#metaValue<ProcessIdentity>(writerKey);
    if (writer !== undefined && isRunning(writer)) {
      const holder = writer.pid === process.pid ? `this process (${writer.pid})` : `process ${writer.pid}`;
      throw new StoreError(
        `Cannot open the store at "${this.#path}" for writing as only one process may write: ${holder} does; close it there first, or open with readOnly`,
      );
    }
    this.#checkFingerprint();
    this.#meta.put(formatKey, sealValue(storeFormat));
    this.#meta.put(writerKey, sealValue(currentProcess()));
  }
}

function numberKey(number: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(number));
  return key;
}

function foreign(folder: string): StoreError {
  return new StoreError(
    `Cannot open the store at "${folder}" as the folder must hold a store of Palimpsest: it holds another LMDB environment; choose another folder`,
  );
}
