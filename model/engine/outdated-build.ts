import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {NativeBuild} from './native-build.ts';
import {nativeBuildFolder} from './native-build-folder.ts';
import {nativeBuildsFolder} from './native-builds-folder.ts';

/**
 * Folder of a native build that is there in place of the one that is looked for: of another version, or for another processor.
 *
 * @returns `undefined` if there is none, or if the right one is there.
 */
export function outdatedBuild(build: NativeBuild): string | undefined {
  const folder = nativeBuildFolder(build);
  const builds = nativeBuildsFolder();
  if (folder === undefined || existsSync(folder) || !existsSync(builds)) return undefined;
  const kind = `-${build.gpu ? 'gpu' : 'cpu'}-${process.platform}-${process.arch}`;
  const name = readdirSync(builds).find(name => name.startsWith('tfjs-') && name.includes(kind));
  return name && join(builds, name);
}
