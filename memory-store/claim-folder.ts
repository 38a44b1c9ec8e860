import {setTimeout as delay} from 'node:timers/promises';
import {LockFile} from './lock-file.ts';

/** A file that stays this long is not that of another process about to be refused. */
const establishedMs = 100;
const patienceMs = 10_000;

export type ClaimFolderOptions = {
  /** What only one process may do in the folder, in a word. */
  readonly purpose: string;
  /** What to throw if `holder`, "process 123" or "this process (123)", does it already. */
  readonly refusal: (holder: string) => Error;
  /** What to throw if the folder cannot be written. */
  readonly unwritable: (cause: Error) => Error;
};

/**
 * Takes the right to be the one who does something in a folder, until the file is removed or its process ends.
 */
export async function claimFolder(
  folder: string,
  {purpose, refusal, unwritable}: ClaimFolderOptions,
): Promise<LockFile> {
  const seen = new Map<string, number>();
  const start = performance.now();
  for (;;) {
    const file = create(folder, {purpose, unwritable});
    const others = file.others(purpose);
    if (others.length === 0) return file;
    // Should others start at this moment as well, each withdraws and comes back at another time.
    file.remove();
    const now = performance.now();
    for (const {name} of others) if (!seen.has(name)) seen.set(name, now);
    const holder =
      others.find(({name}) => now - seen.get(name)! >= establishedMs) ??
      (now - start >= patienceMs ? others[0] : undefined);
    if (holder !== undefined) {
      throw refusal(holder.pid === process.pid ? `this process (${holder.pid})` : `process ${holder.pid}`);
    }
    await delay(5 + Math.random() * 30);
  }
}

function create(folder: string, {purpose, unwritable}: Pick<ClaimFolderOptions, 'purpose' | 'unwritable'>): LockFile {
  try {
    return LockFile.create(folder, purpose);
  } catch (error) {
    throw unwritable(error as Error);
  }
}
