import {CorruptMemoryError} from '../../errors.ts';
import {openSealedValue} from '../sealed-value.ts';
import type {Entry} from '../stage-changes.ts';
import {storedKey} from '../stored-key.ts';
import type {LmdbTables} from './lmdb-tables.ts';

const pageOfEntries = 1000;

/** Where the records of documents lie. */
export const storedEntries = {
  /** An entry that is damaged is as good as none, so that it can be overwritten or forgotten. */
  at(tables: LmdbTables, key: Buffer): Entry | undefined {
    const sealed = tables.documents.get(key);
    return sealed && opened(sealed);
  },

  /**
   * Every entry, a page at a time: an iterator left open would keep LMDB from using freed space again. Of one that is
   * damaged, the name alone.
   *
   * @param options.beforePage Throws if reading is over.
   * @throws {CorruptMemoryError} If an entry is damaged whose key does not tell the name.
   */
  async *all(
    tables: LmdbTables,
    {beforePage}: {readonly beforePage: () => void},
  ): AsyncGenerator<Entry | readonly [documentId: string]> {
    for (let last: Buffer | undefined; ; ) {
      beforePage();
      const page: (Entry | readonly [documentId: string])[] = [];
      const range = {...(last && {start: last, exclusiveStart: true}), limit: pageOfEntries};
      for (const {key, value} of tables.documents.getRange(range)) {
        last = Buffer.from(key);
        page.push(opened(value) ?? [nameIn(last)]);
      }
      yield* page;
      if (page.length < pageOfEntries) return;
    }
  },
};

function opened(sealed: Uint8Array): Entry | undefined {
  try {
    return openSealedValue<Entry>(sealed, 'where a memory lies');
  } catch {
    return undefined;
  }
}

function nameIn(key: Buffer): string {
  const name = storedKey.name(key);
  if (name !== undefined) return name;
  throw new CorruptMemoryError(
    'Cannot list documents as the entry of one with a long name is damaged: restore the store from a backup, or remove it and replay the input',
  );
}
