import {randomBytes} from 'node:crypto';
import {closeSync, openSync, readdirSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {StoreError} from '../../errors.ts';
import {currentProcess, isRunning} from '../process-identity.ts';

/** What a process does in a folder: keeps it for its own writing, writes a transaction, or opens it. */
export type LockPurpose = 'writer' | 'transaction' | 'opening';

/** A file that some process holds. */
export type HeldFile = {readonly name: string; readonly pid: number};

/**
 * A file that tells other processes what this one does in a folder. Its name says who holds it, so that it is never
 * half-written and that those of dead processes count for nothing.
 *
 * Two processes that each create theirs before they look for the other's cannot both miss it.
 */
export class LockFile {
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** @throws {StoreError} If the folder cannot be written. */
  static create(folder: string, purpose: LockPurpose): LockFile {
    const {pid, started} = currentProcess();
    const name = `${purpose}-${pid}-${started.replaceAll('/', '.')}-${randomBytes(6).toString('hex')}`;
    try {
      closeSync(openSync(join(folder, name), 'wx'));
    } catch (cause) {
      throw new StoreError(
        `Cannot use the store at "${folder}" as it must be possible to create files in it: ${(cause as Error).message}`,
        {cause},
      );
    }
    return new LockFile(folder, name);
  }

  /** Files that others hold for some purpose; those that dead processes left are removed. */
  others(purpose: LockPurpose): HeldFile[] {
    const held: HeldFile[] = [];
    for (const name of readdirSync(this.#folder)) {
      const [, pid, started] = name.match(new RegExp(`^${purpose}-(\\d+)-(.*)-[0-9a-f]+$`)) ?? [];
      if (pid === undefined || started === undefined || name === this.#name) continue;
      // The boot's name has no dot.
      if (isRunning({pid: Number(pid), started: started.replace('.', '/')})) held.push({name, pid: Number(pid)});
      else unlinkIfThere(join(this.#folder, name));
    }
    return held;
  }

  remove(): void {
    unlinkIfThere(join(this.#folder, this.#name));
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
