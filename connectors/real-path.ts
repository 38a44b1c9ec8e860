import {realpathSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';

/** An absolute path without links, as far as it exists: the same for all paths that lead to a file, or would if it were there. */
export function realPath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realPath(parent), basename(absolute));
  }
}
