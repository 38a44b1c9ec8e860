import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {LmdbStore, type LmdbStoreOptions} from '../../memory-store/lmdb-store.ts';
import type {PartitionStores} from './partition-stores.ts';

/** Keeps each partition in an LMDB folder of its own, so that their checkpoints do not wait for one another. */
export class LmdbPartitionStores implements PartitionStores {
  readonly #folder: string;
  readonly #options: LmdbStoreOptions;

  /**
   * @param folder On a local disk, and of one worker alone; made when it is needed.
   * @param options Of each store.
   */
  constructor(folder: string, options: LmdbStoreOptions = {}) {
    this.#folder = folder;
    this.#options = options;
  }

  async open(partition: number): Promise<LmdbStore> {
    return LmdbStore.open(this.#path(partition), this.#options);
  }

  async discard(partition: number): Promise<void> {
    await rm(this.#path(partition), {recursive: true, force: true});
  }

  async stored(): Promise<readonly number[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.flatMap(name => (/^partition-\d+$/.test(name) ? Number(name.slice('partition-'.length)) : []));
  }

  #path(partition: number): string {
    return join(this.#folder, `partition-${partition}`);
  }
}
