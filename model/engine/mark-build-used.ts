import {utimesSync} from 'node:fs';
import {relative, sep} from 'node:path';
import {nativeBuildsFolder} from './native-builds-folder.ts';

/** Notes as the time of a build's folder that it is used now, if a path leads into one. */
export function markBuildUsed(path: string): void {
  const [name, ...rest] = relative(nativeBuildsFolder(), path).split(sep);
  if (name === '..' || rest.length === 0) return;
  const now = new Date();
  try {
    utimesSync(`${nativeBuildsFolder()}${sep}${name}`, now, now);
  } catch {
    // A cache that this user only reads is not theirs to tidy up either.
  }
}
