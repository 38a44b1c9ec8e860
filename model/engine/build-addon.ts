import {mkdir, readdir, rm} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {addonFlags} from './addon-flags.ts';
import {addonPatches} from './addon-patches.ts';
import {fusedFolder} from './fused-sources.ts';
import type {InstallProgress} from './install-native.ts';
import type {NativeBuild} from './native-build.ts';
import {patchSource} from './patch-source.ts';
import {runCommand} from './run-command.ts';
import {tryAddon} from './try-addon.ts';

/** How to build. */
export type BuildAddonOptions = {
  readonly build: NativeBuild;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (progress: InstallProgress) => void;
};

/**
 * Compiles tfjs-node's addon, patched and with our fused kernels, in a build's folder against the TensorFlow beside it, and tries it in another process.
 *
 * @throws {EngineUnavailableError} If it does not load, or loads another TensorFlow than the pinned one.
 */
export async function buildAddon(folder: string, {build, signal, onProgress}: BuildAddonOptions): Promise<void> {
  onProgress({step: 'Compiling the addon'});
  const source = join(folder, 'node_modules/@tensorflow/tfjs-node');
  const tensorflow = join(folder, 'python/tensorflow');
  for (const patch of addonPatches) await patchSource(source, patch);
  await mkdir(join(source, 'lib/napi-v8'), {recursive: true});
  const {include_dir: nodeHeaders} = createRequire(import.meta.url)('node-api-headers') as {include_dir: string};
  const compile = ['g++', ...addonFlags.all, `-I${join(tensorflow, 'include')}`] as const;
  const objects: string[] = [];
  for (const file of (await readdir(fusedFolder)).filter(name => name.endsWith('.cc'))) {
    const object = join(folder, `${file}.o`);
    objects.push(object);
    await runCommand([...compile, ...addonFlags.fused, '-c', join(fusedFolder, file), '-o', object], {signal});
  }
  await runCommand(
    [
      ...compile,
      ...[...addonFlags.addon, `-I${nodeHeaders}`, `-I${source}`, `-I${fusedFolder}`],
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map(file => join(source, 'binding', file)),
      ...[...objects, '-o', join(source, 'lib/napi-v8/tfjs_binding.node'), `-L${tensorflow}`, ...addonFlags.link],
    ],
    {signal},
  );
  for (const object of objects) await rm(object);
  await rm(join(tensorflow, 'include'), {recursive: true});
  onProgress({step: 'Trying the addon'});
  await tryAddon(folder, {build, signal});
}
