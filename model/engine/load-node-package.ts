import {existsSync, readdirSync, realpathSync} from 'node:fs';
import Module, {createRequire} from 'node:module';
import {join, sep} from 'node:path';
import util from 'node:util';
import type {KernelBackend} from '@tensorflow/tfjs';

/** A loaded tfjs-node (or tfjs-node-gpu), its backend registered as `tensorflow` on our tfjs. */
export type NodePackage = {
  readonly folder: string;
  readonly tensorflowVersion: string;
  readonly usesGpu: boolean;
  readonly backend: KernelBackend;
  /**
   * Requires one of the package's own modules, such as `./dist/saved_model.js`; its tfjs is ours.
   *
   * @param path Relative to the package's folder.
   */
  readonly require: (path: string) => unknown;
};

type Binding = {readonly TF_Version: string; isUsingGpuDevice(): boolean};
type BackendModule = {readonly NodeJSKernelBackend: new (binding: Binding, packageName: string) => KernelBackend};
type ResolveFilename = (request: string, parent?: {filename?: string}, ...rest: unknown[]) => string;

let loaded: NodePackage | undefined;

/** The package that this thread has loaded. */
export function loadedNodePackage(): NodePackage | undefined {
  return loaded;
}

/**
 * Loads a built tfjs-node from any folder onto our tfjs.
 *
 * @throws {Error} If the addon is not there or its libraries do not load.
 */
export function loadNodePackage(folder: string, tf: typeof import('@tensorflow/tfjs')): NodePackage {
  const root = realpathSync(folder);
  const addon = findAddon(root);
  if (addon === undefined) throw new Error('its addon tfjs_binding.node was not built');
  restoreUtilFunctions();
  const packageRequire = (path: string) => requireFrom(root, path);
  const binding = packageRequire(addon) as Binding;
  packageRequire('./dist/register_all_kernels.js');
  const {NodeJSKernelBackend} = packageRequire('./dist/nodejs_kernel_backend.js') as BackendModule;
  const {name} = packageRequire('./package.json') as {name: string};
  // An application may have loaded the same package before; its backend is then this one.
  if (tf.findBackend('tensorflow') === null) {
    const backend = new NodeJSKernelBackend(binding, name);
    tf.registerBackend('tensorflow', () => backend, 3);
  }
  loaded = {
    folder: root,
    tensorflowVersion: binding.TF_Version,
    usesGpu: binding.isUsingGpuDevice(),
    backend: tf.findBackend('tensorflow'),
    require: packageRequire,
  };
  return loaded;
}

/** The built addon of a tfjs-node folder, relative to it; undefined if there is none. */
export function findAddon(folder: string): string | undefined {
  const library = join(folder, 'lib');
  if (!existsSync(library)) return undefined;
  const addons = readdirSync(library).map(version => `./lib/${version}/tfjs_binding.node`);
  return addons.find(addon => existsSync(join(folder, addon)));
}

/**
 * Requires a module of a package with tfjs (and tfjs-core) resolved to ours for every module inside the package.
 *
 * The cached package has no tfjs beside it, and a project's own may be another instance. Modules of the package are all
 * loaded synchronously, so nobody else sees the changed resolution.
 */
function requireFrom(folder: string, path: string): unknown {
  const module = Module as unknown as {_resolveFilename: ResolveFilename};
  const original = module._resolveFilename;
  const {resolve} = createRequire(createRequire(import.meta.url).resolve('@tensorflow/tfjs'));
  module._resolveFilename = (request, parent, ...rest) =>
    /^@tensorflow\/tfjs(-core)?$/.test(request) && parent?.filename?.startsWith(folder + sep)
      ? resolve(request)
      : original.call(module, request, parent, ...rest);
  try {
    return createRequire(join(folder, 'package.json'))(path);
  } finally {
    module._resolveFilename = original;
  }
}

/** tfjs-node 4.22.0 calls two functions of `node:util` that Node 22 warns about and later ones no longer have. */
function restoreUtilFunctions(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}
