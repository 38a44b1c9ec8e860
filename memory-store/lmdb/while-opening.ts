import {setTimeout as delay} from 'node:timers/promises';
import {LockFile} from '../lock-file.ts';
import {openingWait} from './opening-wait.ts';
import {unwritableStore} from './unwritable-store.ts';

/**
 * Opens an environment for reading while no transaction is written to it: LMDB would set its last transaction back, and
 * the writer lose it or crash (LMDB's ITS#9496). It waits for the transaction under way; the writer lets it go first.
 *
 * @throws {StoreError} If the folder cannot be written, or a transaction does not end in 30 seconds.
 */
export async function whileOpening<T>(folder: string, open: () => Promise<T>): Promise<T> {
  let file: LockFile;
  try {
    file = LockFile.create(folder, 'opening');
  } catch (error) {
    // A disk that nobody can write through has no writer.
    if ((error as NodeJS.ErrnoException).code === 'EROFS') return await open();
    throw unwritableStore(folder, error as Error);
  }
  try {
    for (const deadline = performance.now() + openingWait.patienceMs; ; await delay(openingWait.pollMs)) {
      const writer = file.others('writer').find(({busy}) => busy);
      if (writer === undefined) return await open();
      if (performance.now() >= deadline) throw openingWait.isOver(folder, `process ${writer.pid} writes a transaction`);
    }
  } finally {
    file.remove();
  }
}
