import {access, constants, mkdir, realpath, stat, statfs} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {StoreError} from '../errors.ts';

/** LMDB ends the process if the disk cannot hold the two small files of a new store. */
const leastFreeBytes = 2 ** 20;

/**
 * Makes sure that a folder can hold, or holds, a store.
 *
 * @returns Its absolute path without links.
 * @throws {StoreError} If it cannot.
 */
export async function prepareFolder(path: string, {readOnly}: {readonly readOnly: boolean}): Promise<string> {
  if (path === '') throw new StoreError('Cannot open the store as the path of its folder must not be empty');
  const folder = resolve(path);
  try {
    const stats = await stat(folder).catch(() => undefined);
    if (stats !== undefined && !stats.isDirectory()) throw refused(folder, 'it must be a folder: it is a file');
    const dataFile = await stat(join(folder, 'data.mdb')).catch(() => undefined);
    if (dataFile !== undefined && !dataFile.isFile()) throw refused(folder, '"data.mdb" in it must be a file');
    if (readOnly) {
      if (dataFile === undefined) throw refused(folder, 'there must be one: found none; check the path');
    } else {
      await mkdir(folder, {recursive: true});
      await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
      if (dataFile !== undefined) await access(join(folder, 'data.mdb'), constants.R_OK | constants.W_OK);
      const {bavail, bsize} = await statfs(folder);
      if (bavail * bsize < leastFreeBytes) {
        throw refused(
          folder,
          `the disk must have ${leastFreeBytes} bytes free: current value is ${bavail * bsize}; make room, or choose a folder on another disk`,
        );
      }
    }
    return await realpath(folder);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const rule =
      code === 'ENOTDIR' || code === 'EEXIST'
        ? 'a file lies in the way of the folder'
        : 'the folder must be readable and writable';
    throw new StoreError(`Cannot open the store at "${folder}" as ${rule}: ${(cause as Error).message}`, {cause});
  }
}

function refused(folder: string, rule: string): StoreError {
  return new StoreError(`Cannot open the store at "${folder}" as ${rule}`);
}
