import {createHash} from 'node:crypto';
import {mkdir, readdir, readFile, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {EngineUnavailableError} from '../../errors.ts';
import type {InstallProgress} from './install-native.ts';
import type {PinnedTarball} from './native-build.ts';
import {runCommand} from './run-command.ts';

/** How to fetch. */
export type FetchTarballOptions = {
  /** A folder for temporary files. */
  readonly workspace: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (progress: InstallProgress) => void;
};

/**
 * Fetches a package from npm without running any of its scripts, and unpacks it.
 *
 * @throws {EngineUnavailableError} If its digest is not the pinned one.
 */
export async function fetchTarball(
  {specification, integrity}: PinnedTarball,
  folder: string,
  {workspace, signal, onProgress}: FetchTarballOptions,
): Promise<void> {
  onProgress({step: `Downloading ${specification}`});
  const download = join(workspace, 'tarball');
  await mkdir(download, {recursive: true});
  await runCommand(['npm', 'pack', specification, '--ignore-scripts', '--silent', '--pack-destination', download], {
    signal,
  });
  const [file, ...others] = await readdir(download);
  if (file === undefined || others.length > 0)
    throw new Error(`Cannot find the one tarball of ${specification} in ${download}`);
  const tarball = join(download, file);
  const actual = `sha512-${createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')}`;
  if (actual !== integrity) {
    throw new EngineUnavailableError(
      `Cannot install ${specification} as its digest must be ${integrity}: current value is ${actual}`,
    );
  }
  const unpacked = join(workspace, 'unpacked');
  await runCommand(['python3', '-m', 'tarfile', '--extract', tarball, unpacked], {signal});
  await mkdir(dirname(folder), {recursive: true});
  await rename(join(unpacked, 'package'), folder);
  await rm(unpacked, {recursive: true});
  await rm(download, {recursive: true});
}
