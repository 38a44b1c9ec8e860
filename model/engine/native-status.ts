import {existsSync} from 'node:fs';
import {nativeBuild} from './native-build.ts';
import {nativeBuildFolder} from './native-build-folder.ts';

/** One of the engines that `installNative` installs. */
export type NativeStatus = {
  readonly engine: 'native' | 'gpu';
  /** Whether a build is pinned for this platform. */
  readonly available: boolean;
  /** Where it is installed; undefined if it is not. */
  readonly folder: string | undefined;
};

/** Which native engines are in the user's cache folder. */
export function nativeStatus(): readonly NativeStatus[] {
  return (['native', 'gpu'] as const).map(engine => {
    const build = nativeBuild({gpu: engine === 'gpu'});
    const folder = build && nativeBuildFolder(build);
    return {engine, available: build !== undefined, folder: folder && existsSync(folder) ? folder : undefined};
  });
}
