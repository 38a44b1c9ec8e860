import {setTimeout as delay} from 'node:timers/promises';
import {StoreError} from '../../errors.ts';
import {claimFolder} from '../claim-folder.ts';
import type {LockFile} from '../lock-file.ts';
import {openingWait} from './opening-wait.ts';
import {unwritableStore} from './unwritable-store.ts';

/**
 * The right to be the one writer of a folder. It lies outside LMDB, whose environment must not be opened by a process
 * that is about to be refused.
 */
export class WriterClaim {
  readonly #folder: string;
  readonly #file: LockFile;
  /** Transactions. */
  #underWay = 0;

  private constructor(folder: string, file: LockFile) {
    this.#folder = folder;
    this.#file = file;
  }

  /** @throws {StoreError} If the folder cannot be written, or another process, or this one, writes to it. */
  static async take(folder: string): Promise<WriterClaim> {
    const file = await claimFolder(folder, {
      purpose: 'writer',
      unwritable: cause => unwritableStore(folder, cause),
      refusal: holder =>
        new StoreError(
          `Cannot open the store at "${folder}" for writing as only one process may write: ${holder} does; close it there first, or open with readOnly`,
        ),
    });
    return new WriterClaim(folder, file);
  }

  /**
   * Runs what writes a transaction while nobody opens the environment, as {@link whileOpening} does.
   *
   * @throws {StoreError} If another process takes more than 30 seconds to open it.
   */
  async whileWriting<T>(write: () => Promise<T>): Promise<T> {
    for (const deadline = performance.now() + openingWait.patienceMs; ; await delay(openingWait.pollMs)) {
      if (this.#underWay++ === 0) this.#file.busy = true;
      try {
        const [opener] = this.#file.others('opening');
        if (opener === undefined) return await write();
        if (performance.now() >= deadline) throw openingWait.isOver(this.#folder, `process ${opener.pid} opens it`);
      } finally {
        if (--this.#underWay === 0) this.#file.busy = false;
      }
    }
  }

  release(): void {
    this.#file.remove();
  }
}
