import {MemoryMismatchError} from '../../errors.ts';
import {sealValue} from '../sealed-value.ts';
import type {LmdbTables} from './lmdb-tables.ts';

const fingerprintKey = Buffer.from('fingerprint');

/** The model of a store's memories. */
export const storeFingerprint = {
  /** @throws {MemoryMismatchError} If the memories are of another model than the one given. */
  check(tables: LmdbTables, folder: string, fingerprint: string | undefined): void {
    const stored = tables.metaValue<string>(fingerprintKey);
    if (fingerprint !== undefined && stored !== undefined && stored !== fingerprint) {
      throw new MemoryMismatchError(
        `Cannot open the store at "${folder}" as its memories must be of the model given, ${fingerprint}: they are of ${stored}; use the model that wrote them, or a new folder and replay the input`,
      );
    }
  },

  /** The puts that note the model of a store's first memory. */
  puts(tables: LmdbTables, fingerprint: string | undefined): (() => void)[] {
    if (fingerprint === undefined || tables.metaValue(fingerprintKey) !== undefined) return [];
    return [() => tables.meta.put(fingerprintKey, sealValue(fingerprint))];
  },
};
