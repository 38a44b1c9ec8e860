import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, rename, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {EngineUnavailableError} from '../../errors.ts';
import {buildAddon} from './build-addon.ts';
import {checkInstallNeeds} from './check-install-needs.ts';
import {fetchTarball} from './fetch-tarball.ts';
import {fetchWheel} from './fetch-wheel.ts';
import {fusedFolder} from './fused-sources.ts';
import {installCommand} from './install-command.ts';
import {type NativeBuild, nativeBuild} from './native-build.ts';
import {nativeBuildFolder} from './native-build-folder.ts';
import {nativeBuildsFolder} from './native-builds-folder.ts';
import type {OtherBuild} from './other-builds.ts';
import {removeUnusedBuilds} from './remove-unused-builds.ts';
import {tryAddon} from './try-addon.ts';
import {unfinishedPrefix} from './unfinished-prefix.ts';

/** What an installation is doing. */
export type InstallProgress = {
  /** For people, such as "Downloading tensorflow-cpu==2.21.0". */
  readonly step: string;
  /** Bytes of this step that are done. */
  readonly doneBytes?: number;
  /** Bytes of this step in all. */
  readonly totalBytes?: number;
};

/** How to install. */
export type InstallNativeOptions = {
  /** TensorFlow with CUDA in place of the one for processors. @default {false} */
  readonly gpu?: boolean;
  /** Another build than the one pinned for this machine. */
  readonly build?: NativeBuild | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: InstallProgress) => void;
};

/** Where the engine is, and whether it was there before. */
export type InstalledNative = {
  readonly folder: string;
  readonly alreadyInstalled: boolean;
  /** Engines of other versions that were removed, as nobody had opened them for a week. */
  readonly removed: readonly OtherBuild[];
};

const oneDay = 86_400_000;

/**
 * Builds the addon of tfjs-node, with kernels and a counter of tensors of our own, against TensorFlow's wheel, in the user's cache folder.
 *
 * Everything is fetched by pip and npm, pinned by digest, into a folder beside the final one, which is renamed at the end: an
 * installation that is interrupted leaves nothing behind that could be mistaken for an engine. An engine that is there and
 * works is left as it is; a damaged one is replaced. Afterwards engines of other versions are removed that nobody has opened for
 * a week.
 *
 * @throws {EngineUnavailableError} If there is no pinned build for this platform, or something needed is missing, such as our sources in an
 * application that is bundled.
 */
export async function installNative({
  gpu = false,
  build = nativeBuild({gpu}),
  signal,
  onProgress = () => {},
}: InstallNativeOptions = {}): Promise<InstalledNative> {
  signal?.throwIfAborted();
  if (build === undefined) throw new EngineUnavailableError(refusal(gpu));
  const folder = nativeBuildFolder(build);
  if (folder === undefined) {
    throw new EngineUnavailableError(
      `Cannot install the native engine as the sources of its kernels must be in ${fusedFolder}: run "${installCommand(gpu ? 'gpu' : 'native')}" where palimpsest is not bundled`,
    );
  }
  if (existsSync(folder) && (await works(folder, {build, signal})))
    return {folder, alreadyInstalled: true, removed: []};

  onProgress({step: 'Checking what is needed'});
  await checkInstallNeeds({signal});
  await mkdir(nativeBuildsFolder(), {recursive: true});
  await removeAbandoned();
  const workspace = await mkdtemp(join(nativeBuildsFolder(), unfinishedPrefix));
  try {
    const result = join(workspace, 'result');
    const options = {workspace, signal, onProgress};
    for (const tarball of build.tarballs) await fetchTarball(tarball, join(result, tarball.folder), options);
    for (const wheel of build.wheels) await fetchWheel(wheel, join(result, 'python'), {...options, build});
    await buildAddon(result, {build, signal, onProgress});
    await writeFile(join(result, 'installation.json'), `${JSON.stringify(build, undefined, 2)}\n`);
    const alreadyInstalled = !(await moveIntoPlace(result, folder, {build, signal}));
    return {folder, alreadyInstalled, removed: await removeUnusedBuilds()};
  } finally {
    await rm(workspace, {recursive: true, force: true, maxRetries: 3});
  }
}

function refusal(gpu: boolean): string {
  const command = installCommand(gpu ? 'gpu' : 'native');
  const platform = `${process.platform} ${process.arch}`;
  const remedy = command === undefined ? 'there is none for it' : `run "${command}" in place of this`;
  return `Cannot install the ${gpu ? 'GPU' : 'native'} engine as no build is pinned for ${platform}: ${remedy}`;
}

/** @returns Whether it was moved; not, if another installation was faster. */
async function moveIntoPlace(result: string, folder: string, options: Parameters<typeof works>[1]): Promise<boolean> {
  try {
    await rename(result, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    if (await works(folder, options)) return false;
    // What is there was damaged after its installation. It is moved away first, so that nobody meets half of it.
    await rename(folder, `${result}-damaged`);
    await rename(result, folder);
  }
  return true;
}

async function works(
  folder: string,
  options: {readonly build: NativeBuild; readonly signal: AbortSignal | undefined},
): Promise<boolean> {
  try {
    await tryAddon(folder, options);
    return true;
  } catch (error) {
    if (error instanceof EngineUnavailableError) return false;
    throw error;
  }
}

/** Removes what processes that were killed have left. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(nativeBuildsFolder())) {
    if (!name.startsWith(unfinishedPrefix)) continue;
    const path = join(nativeBuildsFolder(), name);
    const age = await stat(path).then(
      ({mtimeMs}) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > oneDay) await rm(path, {recursive: true, force: true});
  }
}
