import {MemoryMismatchError, StoreError} from '../../errors.ts';
import {currentProcess, isRunning, type ProcessIdentity} from '../process-identity.ts';
import {sealValue} from '../sealed-value.ts';
import type {LmdbTables} from './lmdb-tables.ts';

const fingerprintKey = Buffer.from('fingerprint');
const writerKey = Buffer.from('writer');

/** LMDB cannot write through an environment that this process has opened for reading first. */
const readersHere = new Map<string, number>();

export type StoreClaimOptions = {
  readonly folder: string;
  readonly tables: LmdbTables;
  readonly readOnly: boolean;
  readonly fingerprint: string | undefined;
};

/** The right to use a store: as its one writer, or as one of its readers, for the model that it holds. */
export class StoreClaim {
  readonly #options: StoreClaimOptions;

  private constructor(options: StoreClaimOptions) {
    this.#options = options;
  }

  /** @throws {StoreError} If this process has the store open for reading, which LMDB must not be told after the fact. */
  static checkNotRead(folder: string): void {
    if (!readersHere.has(folder)) return;
    throw new StoreError(
      `Cannot open the store at "${folder}" for writing as it must be opened for writing before it is opened for reading: this process has it open for reading; close that first`,
    );
  }

  /**
   * @throws {StoreError} If the store has another writer.
   * @throws {MemoryMismatchError} If it is of another model.
   */
  static take(options: StoreClaimOptions): StoreClaim {
    const claim = new StoreClaim(options);
    claim.#checkFingerprint();
    const {folder, tables, readOnly} = options;
    if (readOnly) readersHere.set(folder, (readersHere.get(folder) ?? 0) + 1);
    else tables.exclusively(() => claim.#becomeWriter());
    return claim;
  }

  /** The puts that note the model of a store's first memory. */
  puts(fingerprint: string | undefined): (() => void)[] {
    const {tables} = this.#options;
    if (fingerprint === undefined || tables.metaValue(fingerprintKey) !== undefined) return [];
    return [() => tables.meta.put(fingerprintKey, sealValue(fingerprint))];
  }

  /** Gives the right back, after which `close` closes the tables. */
  async release(close: () => Promise<void>): Promise<void> {
    const {folder, tables, readOnly} = this.#options;
    try {
      if (!readOnly) await tables.write(() => tables.meta.remove(writerKey));
    } finally {
      await close();
      if (readOnly) {
        const others = readersHere.get(folder)! - 1;
        if (others === 0) readersHere.delete(folder);
        else readersHere.set(folder, others);
      }
    }
  }

  #checkFingerprint(): void {
    const {folder, tables, fingerprint} = this.#options;
    const stored = tables.metaValue<string>(fingerprintKey);
    if (fingerprint !== undefined && stored !== undefined && stored !== fingerprint) {
      throw new MemoryMismatchError(
        `Cannot open the store at "${folder}" as its memories must be of the model given, ${fingerprint}: they are of ${stored}; use the model that wrote them, or a new folder and replay the input`,
      );
    }
  }

  #becomeWriter(): void {
    const {folder, tables} = this.#options;
    const writer = tables.metaValue<ProcessIdentity>(writerKey);
    if (writer !== undefined && isRunning(writer)) {
      const holder = writer.pid === process.pid ? `this process (${writer.pid})` : `process ${writer.pid}`;
      throw new StoreError(
        `Cannot open the store at "${folder}" for writing as only one process may write: ${holder} does; close it there first, or open with readOnly`,
      );
    }
    this.#checkFingerprint();
    tables.putFormat();
    tables.meta.put(writerKey, sealValue(currentProcess()));
  }
}
