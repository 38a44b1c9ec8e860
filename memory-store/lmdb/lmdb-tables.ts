import {type Database, open, type RootDatabase} from 'lmdb';
import {StoreError} from '../../errors.ts';
import {openSealedValue, sealValue} from '../sealed-value.ts';
import {commitErrorsUnprinted} from './commit-errors-unprinted.ts';
import type {WriterClaim} from './writer-claim.ts';

type Table = Database<Buffer, Buffer>;

const storeFormat = 1;
const formatKey = Buffer.from('format');
const binary = {encoding: 'binary', keyEncoding: 'binary'} as const;

/** The tables of a store in LMDB. Keys and values are bytes; values but records are sealed. */
export class LmdbTables {
  /** What holds for the whole store, by the name of the fact. */
  readonly meta: Table;
  /** Documents and the numbers of their records. */
  readonly documents: Table;
  /** Encoded records by number. Those from the next number on belong to a commit that has not ended. */
  readonly records: Table;
  readonly partitions: Table;
  readonly outputs: Table;
  readonly #folder: string;
  readonly #environment: RootDatabase<Buffer, Buffer>;
  /** A writer's. */
  readonly #claim: WriterClaim | undefined;

  private constructor(
    folder: string,
    {environment, claim}: {environment: RootDatabase<Buffer, Buffer>; claim: WriterClaim | undefined},
  ) {
    this.#folder = folder;
    this.#environment = environment;
    this.#claim = claim;
    const isNew = environment.getKeysCount({limit: 1}) === 0;
    // LMDB lists its tables by names that end in NUL.
    if (!isNew && !environment.doesExist(Buffer.from('palimpsest\0'))) throw foreign(folder);
    this.meta = this.#table('palimpsest');
    // Before other tables are made in it.
    this.#checkFormat();
    this.documents = this.#table('documents');
    this.records = this.#table('records');
    this.partitions = this.#table('partitions');
    this.outputs = this.#table('outputs');
  }

  /**
   * Opens the tables, and makes them if there are none. To be done within {@link WriterClaim.whileWriting}, or
   * {@link whileOpening} by a reader.
   *
   * @throws {StoreError} If the folder holds another LMDB environment, or a store of a newer format.
   */
  static async open(folder: string, claim?: WriterClaim): Promise<LmdbTables> {
    // Without overlapping sync, a transaction is on the disk once its promise resolves. Without event-turn batching,
    // there is no promise that nobody can catch.
    const environment: RootDatabase<Buffer, Buffer> = open(folder, {
      ...binary,
      noSubdir: false,
      readOnly: claim === undefined,
      maxDbs: 8,
      overlappingSync: false,
      eventTurnBatching: false,
    });
    try {
      return new LmdbTables(folder, {environment, claim});
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  /** A fact about the whole store. */
  metaValue<T>(key: Buffer): T | undefined {
    const sealed = this.meta.get(key);
    return sealed && openSealedValue<T>(sealed, `"${key}" of the store at "${this.#folder}"`);
  }

  /** Notes the format in which this version writes. To be done within {@link WriterClaim.whileWriting}. */
  putFormat(): void {
    this.#environment.transactionSync(() => {
      this.meta.put(formatKey, sealValue(storeFormat));
    });
  }

  /** Runs `reads` on one state of all tables, whatever is written meanwhile. */
  read<T>(reads: (options: {readonly transaction: ReturnType<RootDatabase['useReadTransaction']>}) => T): T {
    const transaction = this.#environment.useReadTransaction();
    try {
      return reads({transaction});
    } finally {
      transaction.done();
    }
  }

  /** Runs puts and removes in one transaction and resolves once it is on the disk. For writers alone. */
  async write(writes: () => void): Promise<void> {
    await this.#claim!.whileWriting(() => this.#write(writes));
  }

  async #write(writes: () => void): Promise<void> {
    try {
      await commitErrorsUnprinted(() => this.#environment.batch(writes));
    } catch (error) {
      const {commitError} = error as {commitError?: Promise<never>};
      const cause = (await commitError?.catch((reason: unknown) => reason)) ?? error;
      throw new StoreError(
        `Cannot commit to the store at "${this.#folder}" as the disk must take all of it: ${(cause as Error).message}; nothing was changed, make room or check the disk and try again`,
        {cause},
      );
    }
  }

  close(): Promise<void> {
    return this.#environment.close();
  }

  #checkFormat(): void {
    const format = this.metaValue<number>(formatKey);
    if (format !== undefined && format > storeFormat) {
      throw new StoreError(
        `Cannot open the store at "${this.#folder}" as its format must be at most ${storeFormat}: current format is ${format}; upgrade Palimpsest`,
      );
    }
  }

  #table(name: string): Table {
    const table: Table | undefined = this.#environment.openDB({...binary, name});
    if (table === undefined) throw foreign(this.#folder);
    return table;
  }
}

function foreign(folder: string): StoreError {
  return new StoreError(
    `Cannot open the store at "${folder}" as the folder must hold a store of Palimpsest: it holds another LMDB environment; choose another folder`,
  );
}
