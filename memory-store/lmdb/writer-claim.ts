import {setTimeout as delay} from 'node:timers/promises';
import {StoreError} from '../../errors.ts';
import {LockFile} from './lock-file.ts';
import {openingWait} from './opening-wait.ts';

/** A file that stays this long is not that of another process about to be refused. */
const establishedMs = 100;
const patienceMs = 10_000;

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

  /** @throws {StoreError} If another process, or this one, writes to the folder. */
  static async take(folder: string): Promise<WriterClaim> {
    const seen = new Map<string, number>();
    const start = performance.now();
    for (;;) {
      const file = LockFile.create(folder, 'writer');
      const others = file.others('writer');
      if (others.length === 0) return new WriterClaim(folder, file);
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
