import {homedir} from 'node:os';
import {isAbsolute, join, resolve} from 'node:path';

/** Where things that can be fetched again are kept: `PALIMPSEST_CACHE`, else `$XDG_CACHE_HOME/palimpsest`, else `~/.cache/palimpsest`. */
export function cacheFolder(): string {
  const {PALIMPSEST_CACHE: own, XDG_CACHE_HOME: shared} = process.env;
  if (own) return resolve(own);
  // The XDG specification says to ignore a relative path.
  return join(shared && isAbsolute(shared) ? shared : join(homedir(), '.cache'), 'palimpsest');
}
