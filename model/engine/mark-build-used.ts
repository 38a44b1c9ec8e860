import {utimesSync} from 'node:fs';
import {relative, sep} from 'node:path';
import {nativeBuildFolder} from './native-build-folder.ts';

/** Notes as the time of a build's folder that it is used now, if a path leads into one. */
export function markBuildUsed(path: string): void {
  const [name, ...rest] = relative(nativeBuildFolder(), path).split(sep);
  if (name === '..' || rest.length === 0) return;
  const now = new Date();
  try {
    utimesSync(`${nativeBuildFolder()}${sep}${name}`, now, now);
  } catch {
    // A cache that this user only reads is not theirs to tidy up either.
  }
}
