import {join} from 'node:path';
import {cacheFolder} from './cache-folder.ts';

/** Where all native builds are kept. */
export function nativeBuildsFolder(): string {
  return join(cacheFolder(), 'native');
}
