import {randomBytes} from 'node:crypto';
import {closeSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {currentProcess, isRunning} from './process-identity.ts';

/** A file that some process holds. */
export type HeldFile = {
  readonly name: string;
  readonly pid: number;
  /** As {@link LockFile.busy}. */
  readonly busy: boolean;
};

const busyMark = '1';
const idleMark = '0';

/**
 * A file that tells other processes what this one does in a folder. Its name says who holds it, so that it is never
 * half-written and that those of dead processes count for nothing.
 *
 * Two processes that each create theirs before they look for the other's cannot both miss it.
 */
export class LockFile {
  readonly #folder: string;
  readonly #name: string;
  readonly #fd: number;

  private constructor(folder: string, name: string, fd: number) {
    this.#folder = folder;
    this.#name = name;
    this.#fd = fd;
  }

  /**
   * @param purpose What the process does in the folder, in a word.
   * @throws {NodeJS.ErrnoException} If the folder cannot be written.
   */
  static create(folder: string, purpose: string): LockFile {
    const {pid, started} = currentProcess();
    const name = `${purpose}-${pid}-${started.replace('/', '.')}-${randomBytes(6).toString('hex')}`;
    return new LockFile(folder, name, openSync(join(folder, name), 'wx'));
  }

  /** Tells others whether its holder is doing what they must not come into. */
  set busy(busy: boolean) {
    writeSync(this.#fd, busy ? busyMark : idleMark, 0);
  }

  /** Files that others hold for some purpose; those that dead processes left are removed. */
  others(purpose: string): HeldFile[] {
    const held: HeldFile[] = [];
    for (const name of readdirSync(this.#folder)) {
      if (!name.startsWith(`${purpose}-`) || name === this.#name) continue;
      const [, pid, started] = name.slice(purpose.length).match(/^-(\d+)-(.*)-[0-9a-f]+$/) ?? [];
      if (pid === undefined || started === undefined) continue;
      const path = join(this.#folder, name);
      // The boot's name has no dot.
      if (isRunning({pid: Number(pid), started: started.replace('.', '/')})) {
        held.push({name, pid: Number(pid), busy: readIfThere(path) === busyMark});
      } else {
        unlinkIfThere(path);
      }
    }
    return held;
  }

  remove(): void {
    closeSync(this.#fd);
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

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
