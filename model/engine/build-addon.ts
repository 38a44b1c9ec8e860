import {mkdir, readdir, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fusedFolder} from './fused-sources.ts';
import type {InstallProgress} from './install-native.ts';
import type {NativeBuild} from './native-build.ts';
import {runCommand} from './run-command.ts';
import {tryAddon} from './try-addon.ts';

/** How to build. */
export type BuildAddonOptions = {
  readonly build: NativeBuild;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (progress: InstallProgress) => void;
};

/**
 * Compiled into the addon: makes TensorFlow's log obey its own variable. TensorFlow's C interface, unlike its Python package,
 * logs through Abseil's defaults, from the moment its library is loaded; the addon's definition of this function is found first.
 */
const minimumLogLevel = `
#include <cstdlib>
#include "absl/log/globals.h"

namespace absl {
ABSL_NAMESPACE_BEGIN
LogSeverityAtLeast MinLogLevel() {
  static const char *const level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  return static_cast<LogSeverityAtLeast>(level == nullptr ? 0 : std::atoi(level));
}
ABSL_NAMESPACE_END
}  // namespace absl
`;

/**
 * Compiles tfjs-node's addon, with our fused kernels, in a build's folder against the TensorFlow beside it, and tries it in another process.
 *
 * @throws {EngineUnavailableError} If it does not load, or loads another TensorFlow than the pinned one.
 */
export async function buildAddon(folder: string, {build, signal, onProgress}: BuildAddonOptions): Promise<void> {
  onProgress({step: 'Compiling the addon'});
  const source = join(folder, 'node_modules/@tensorflow/tfjs-node');
  const tensorflow = join(folder, 'python/tensorflow');
  const logLevel = join(source, 'binding/minimum_log_level.cc');
  await writeFile(logLevel, minimumLogLevel);
  await mkdir(join(source, 'lib/napi-v8'), {recursive: true});
  const {include_dir: nodeHeaders} = createRequire(import.meta.url)('node-api-headers') as {include_dir: string};
  const compile = ['g++', '-std=c++17', '-fPIC', `-I${join(tensorflow, 'include')}`] as const;
  const processor = process.arch === 'x64' ? ['-march=native'] : ['-mcpu=native'];
  const kernels: string[] = [];
  for (const file of (await readdir(fusedFolder)).filter(name => name.endsWith('.cc'))) {
    const object = join(folder, `${file}.o`);
    kernels.push(object);
    await runCommand(
      [...compile, ...['-O3', '-fno-math-errno', ...processor], ...['-c', join(fusedFolder, file), '-o', object]],
      {signal},
    );
  }
  await runCommand(
    [
      ...compile,
      ...['-O2', '-shared', '-DNAPI_VERSION=8', `-I${nodeHeaders}`, `-I${source}`],
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map(file => join(source, 'binding', file)),
      ...[logLevel, ...kernels, '-o', join(source, 'lib/napi-v8/tfjs_binding.node'), '-lpthread'],
      ...[`-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
      // The libraries are loaded where the wheel has them: they find CUDA by paths relative to themselves.
      '-Wl,-rpath,$ORIGIN/../../../../../python/tensorflow',
    ],
    {signal},
  );
  for (const object of kernels) await rm(object);
  await rm(join(tensorflow, 'include'), {recursive: true});
  onProgress({step: 'Trying the addon'});
  await tryAddon(folder, {build, signal});
}
