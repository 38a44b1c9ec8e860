import {join} from 'node:path';
import {cacheFolder} from './cache-folder.ts';
import {fusedDigest} from './fused-sources.ts';
import type {NativeBuild} from './native-build.ts';

/** Where all native builds are kept, or where one of them is. */
export function nativeBuildFolder(build?: NativeBuild): string {
  return join(cacheFolder(), 'native', ...(build === undefined ? [] : [`${build.name}-${fusedDigest()}`]));
}
