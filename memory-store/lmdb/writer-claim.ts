import {setTimeout as delay} from 'node:timers/promises';
import {StoreError} from '../../errors.ts';
import {LockFile} from './lock-file.ts';

/** A file that stays this long is not that of another process about to be refused. */
const establishedMs = 100;
const patienceMs = 10_000;

/**
 * The right to be the one writer of a folder. It lies outside LMDB, whose environment must not be opened by a process
 * that is about to be refused.
 */
export class WriterClaim {
  readonly #file: LockFile;

  private constructor(file: LockFile) {
    this.#file = file;
  }

  /** @throws {StoreError} If another process, or this one, writes to the folder. */
  static async take(folder: string): Promise<WriterClaim> {
    const seen = new Map<string, number>();
    const start = performance.now();
    for (;;) {
      const file = LockFile.create(folder, 'writer');
      const others = file.others('writer');
      if (others.length === 0) return new WriterClaim(file);
      // Should others start at this moment as well, each withdraws and comes back at another time.
      file.remove();
      const now = performance.now();
      for (const {name} of others) if (!seen.has(name)) seen.set(name, now);
      const writer =
        others.find(({name}) => now - seen.get(name)! >= establishedMs) ??
        (now - start >= patienceMs ? others[0] : undefined);
      if (writer !== undefined) {
        const holder = writer.pid === process.pid ? `this process (${writer.pid})` : `process ${writer.pid}`;
        throw new StoreError(
          `Cannot open the store at "${folder}" for writing as only one process may write: ${holder} does; close it there first, or open with readOnly`,
        );
      }
      await delay(5 + Math.random() * 30);
    }
  }

  release(): void {
    this.#file.remove();
  }
}
