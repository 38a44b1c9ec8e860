import {join} from 'node:path';
import {EngineUnavailableError} from '../../errors.ts';
import type {NativeBuild} from './native-build.ts';
import {runCommand} from './run-command.ts';

/**
 * Loads the addon of a build's folder in another process.
 *
 * @throws {EngineUnavailableError} If it does not load, or loads another TensorFlow than the pinned one.
 */
export async function tryAddon(
  folder: string,
  {build, signal}: {readonly build: NativeBuild; readonly signal?: AbortSignal | undefined},
): Promise<void> {
  const addon = join(folder, 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node');
  const print = 'process.stdout.write(require(process.argv[1]).TF_Version)';
  let version: string;
  try {
    version = await runCommand([process.execPath, '--eval', print, addon], {signal, env: {TF_CPP_MIN_LOG_LEVEL: '3'}});
  } catch (error) {
    signal?.throwIfAborted();
    throw new EngineUnavailableError(`Cannot use the native engine in ${folder} as its addon does not load`, {
      cause: error,
    });
  }
  if (version !== build.tensorflowVersion) {
    throw new EngineUnavailableError(
      `Cannot use the native engine in ${folder} as its TensorFlow must be ${build.tensorflowVersion}: current value is ${version}`,
    );
  }
}
