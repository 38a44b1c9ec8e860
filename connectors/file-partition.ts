import {realpath} from 'node:fs/promises';
import {resolve} from 'node:path';

/** Name of a file's partition: the same for all paths that lead to it. */
export async function filePartition(path: string): Promise<string> {
  // A missing file is reported when it is opened; what a shell passes for a process substitution has no real path.
  return `file:${await realpath(path).catch(() => resolve(path))}`;
}
