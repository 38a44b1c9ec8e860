import {lstat, readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {nativeBuild} from './native-build.ts';
import {nativeBuildFolder} from './native-build-folder.ts';
import {nativeBuildsFolder} from './native-builds-folder.ts';
import {unfinishedPrefix} from './unfinished-prefix.ts';

/** A native engine in the cache that this version of the project does not use; another one may. */
export type OtherBuild = {
  readonly folder: string;
  readonly bytes: number;
  /** When it was opened last, or else installed. */
  readonly usedAt: Date;
};

/** The native engines in the user's cache folder that are of other versions, the latest used first. */
export async function otherBuilds(): Promise<OtherBuild[]> {
  const own = [false, true].map(gpu => nativeBuild({gpu})).map(build => build && nativeBuildFolder(build));
  const names = await readdir(nativeBuildsFolder()).catch(error => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const folders = names
    .filter(name => !name.startsWith(unfinishedPrefix))
    .map(name => join(nativeBuildsFolder(), name))
    .filter(folder => !own.includes(folder));
  const builds = await Promise.all(
    folders.map(async folder => {
      // Another process may be removing it.
      const [status, bytes] = await Promise.all([stat(folder), sizeOf(folder)]).catch(() => []);
      return status === undefined ? [] : [{folder, bytes: bytes ?? 0, usedAt: status.mtime}];
    }),
  );
  return builds.flat().sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  const files = entries.filter(entry => entry.isFile());
  const sizes = await Promise.all(files.map(async ({parentPath, name}) => (await lstat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
