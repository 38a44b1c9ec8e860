import {join} from 'node:path';
import {StoreError} from '../../errors.ts';
import {checkDataFile} from './check-data-file.ts';
import {LmdbTables} from './lmdb-tables.ts';
import {storeFingerprint} from './store-fingerprint.ts';
import {whileOpening} from './while-opening.ts';
import {WriterClaim} from './writer-claim.ts';

export type StoreAccessOptions = {
  readonly readOnly: boolean;
  /** The model that uses the store. */
  readonly fingerprint: string | undefined;
};

/** LMDB cannot write through an environment that this process has opened for reading first. */
const readersHere = new Map<string, number>();

/** The tables of a store, with the right to use them: as its one writer, or as one of its readers. */
export class StoreAccess {
  readonly tables: LmdbTables;
  readonly #folder: string;
  /** A writer's. */
  readonly #claim: WriterClaim | undefined;

  private constructor(folder: string, tables: LmdbTables, claim?: WriterClaim) {
    this.#folder = folder;
    this.tables = tables;
    this.#claim = claim;
  }

  /**
   * @throws {StoreError} If the store is damaged, of a newer format, has another writer, or this process has it open for
   * reading and would write.
   * @throws {MemoryMismatchError} If it is of another model.
   */
  static async open(folder: string, {readOnly, fingerprint}: StoreAccessOptions): Promise<StoreAccess> {
    if (readOnly) return await StoreAccess.#openForReading(folder, fingerprint);
    const claim = await WriterClaim.take(folder);
    try {
      return await claim.whileWriting(async () => {
        await checkDataFile(join(folder, 'data.mdb'), {readOnly});
        checkNotRead(folder);
        const tables = await LmdbTables.open(folder, claim);
        try {
          storeFingerprint.check(tables, folder, fingerprint);
          tables.putFormat();
          return new StoreAccess(folder, tables, claim);
        } catch (error) {
          await tables.close();
          throw error;
        }
      });
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  static async #openForReading(folder: string, fingerprint: string | undefined): Promise<StoreAccess> {
    const access = await whileOpening(folder, async () => {
      await checkDataFile(join(folder, 'data.mdb'), {readOnly: true});
      const tables = await LmdbTables.open(folder);
      readersHere.set(folder, (readersHere.get(folder) ?? 0) + 1);
      return new StoreAccess(folder, tables);
    });
    try {
      storeFingerprint.check(access.tables, folder, fingerprint);
      return access;
    } catch (error) {
      await access.close();
      throw error;
    }
  }

  /** Closes the tables and gives the right back. */
  async close(): Promise<void> {
    try {
      await this.tables.close();
    } finally {
      if (this.#claim !== undefined) {
        this.#claim.release();
      } else {
        const others = readersHere.get(this.#folder)! - 1;
        if (others === 0) readersHere.delete(this.#folder);
        else readersHere.set(this.#folder, others);
      }
    }
  }
}

function checkNotRead(folder: string): void {
  if (!readersHere.has(folder)) return;
  throw new StoreError(
    `Cannot open the store at "${folder}" for writing as it must be opened for writing before it is opened for reading: this process has it open for reading; close that first`,
  );
}
