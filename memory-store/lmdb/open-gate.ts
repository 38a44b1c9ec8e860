import {setTimeout as delay} from 'node:timers/promises';
import {StoreError} from '../../errors.ts';
import {LockFile} from './lock-file.ts';

const patienceMs = 30_000;
const pollMs = 2;

/**
 * Keeps an environment from being opened while a transaction is written to it by another process: LMDB would set its
 * last transaction back, and the writer lose it or crash (LMDB's ITS#9496).
 *
 * Whoever opens waits for the transaction under way; the writer lets those that open go first.
 */
export const openGate = {
  /** @throws {StoreError} If a transaction does not end in 30 seconds. */
  async opening<T>(folder: string, open: () => Promise<T>): Promise<T> {
    let file: LockFile;
    try {
      file = LockFile.create(folder, 'opening');
    } catch (error) {
      // A disk that nobody can write through has no writer.
      if (((error as StoreError).cause as NodeJS.ErrnoException | undefined)?.code === 'EROFS') return await open();
      throw error;
    }
    try {
      const start = performance.now();
      for (;;) {
        const [writer] = file.others('transaction');
        if (writer === undefined) return await open();
        if (performance.now() - start >= patienceMs) throw stuck(folder, `process ${writer.pid} writes a transaction`);
        await delay(pollMs);
      }
    } finally {
      file.remove();
    }
  },

  /** @throws {StoreError} If another process takes more than 30 seconds to open the store. */
  async writing<T>(folder: string, write: () => Promise<T>): Promise<T> {
    const start = performance.now();
    for (;;) {
      const file = LockFile.create(folder, 'transaction');
      try {
        const [opener] = file.others('opening');
        if (opener === undefined) return await write();
        if (performance.now() - start >= patienceMs) throw stuck(folder, `process ${opener.pid} opens it`);
      } finally {
        file.remove();
      }
      await delay(pollMs);
    }
  },
};

function stuck(folder: string, what: string): StoreError {
  return new StoreError(
    `Cannot use the store at "${folder}" as it must not be opened while a transaction is written: ${what}, for ${patienceMs / 1000} s now; nothing was changed, continue or end that process and try again`,
  );
}
