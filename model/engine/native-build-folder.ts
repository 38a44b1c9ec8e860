import {join} from 'node:path';
import {fusedDigest} from './fused-sources.ts';
import type {NativeBuild} from './native-build.ts';
import {nativeBuildsFolder} from './native-builds-folder.ts';

/**
 * Where a native build is kept.
 *
 * @returns `undefined` without the sources of our kernels: none is then known to be of them.
 */
export function nativeBuildFolder(build: NativeBuild): string | undefined {
  const digest = fusedDigest();
  return digest && join(nativeBuildsFolder(), `${build.name}-${digest}`);
}
