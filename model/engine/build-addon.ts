import {mkdir, rm} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {EngineUnavailableError} from '../../errors.ts';
import type {InstallProgress} from './install-native.ts';
import type {NativeBuild} from './native-build.ts';
import {runCommand} from './run-command.ts';

/** How to build. */
export type BuildAddonOptions = {
  readonly build: NativeBuild;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (progress: InstallProgress) => void;
};

/**
 * Compiles tfjs-node's addon in a build's folder against the TensorFlow beside it, and tries it in another process.
 *
 * @throws {EngineUnavailableError} If it loads another TensorFlow than the pinned one.
 */
export async function buildAddon(folder: string, {build, signal, onProgress}: BuildAddonOptions): Promise<void> {
  onProgress({step: 'Compiling the addon'});
  const source = join(folder, 'node_modules/@tensorflow/tfjs-node');
  const tensorflow = join(folder, 'python/tensorflow');
  const addonFolder = join(source, 'lib/napi-v8');
  const addon = join(addonFolder, 'tfjs_binding.node');
  await mkdir(addonFolder, {recursive: true});
  const {include_dir: nodeHeaders} = createRequire(import.meta.url)('node-api-headers') as {include_dir: string};
  await runCommand(
    [
      ...(['g++', '-std=c++17', '-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8'] as const),
      ...[nodeHeaders, source, join(tensorflow, 'include')].map(path => `-I${path}`),
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map(file => join(source, 'binding', file)),
      ...['-o', addon, `-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
      // The libraries are loaded where the wheel has them: they find CUDA by paths relative to themselves.
      '-Wl,-rpath,$ORIGIN/../../../../../python/tensorflow',
    ],
    {signal},
  );
  await rm(join(tensorflow, 'include'), {recursive: true});

  onProgress({step: 'Trying the addon'});
  const print = 'process.stdout.write(require(process.argv[1]).TF_Version)';
  const env = {TF_CPP_MIN_LOG_LEVEL: '3'};
  const version = await runCommand([process.execPath, '--eval', print, addon], {signal, env});
  if (version !== build.tensorflowVersion) {
    throw new EngineUnavailableError(
      `Cannot use the addon as its TensorFlow must be ${build.tensorflowVersion}: current value is ${version}`,
    );
  }
}
