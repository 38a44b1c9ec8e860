import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {nativeBuildsFolder} from './native-builds-folder.ts';
import {unfinishedPrefix} from './unfinished-prefix.ts';

/**
 * Removes every native engine from the user's cache folder, those of other versions too; installations under way are left alone.
 *
 * @returns The folders removed.
 */
export async function removeNative(): Promise<string[]> {
  const names = await readdir(nativeBuildsFolder()).catch(error => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const folders = names
    .filter(name => !name.startsWith(unfinishedPrefix))
    .map(name => join(nativeBuildsFolder(), name));
  for (const folder of folders) await rm(folder, {recursive: true});
  return folders;
}
