import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {findAddon} from './load-node-package.ts';
import {nativeBuild} from './native-build.ts';
import {nativeBuildFolder} from './native-build-folder.ts';
import {outdatedBuild} from './outdated-build.ts';
import {tfjsVersion} from './tfjs-version.ts';

/** Where a usable tfjs-node was found, and what is wrong with those that cannot be used. */
export type NodePackages = {readonly folders: readonly string[]; readonly problems: readonly string[]};

/** Looks for built copies of tfjs-node, best first: in the user's project, then in our cache. */
export function findNodePackages(engine: 'gpu' | 'native'): NodePackages {
  const folders: string[] = [];
  const problems: string[] = [];
  for (const gpu of engine === 'gpu' ? [true] : [false, true]) {
    const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
    const installed = findInProject(name);
    if (installed !== undefined) {
      const problem = findProblem(name, installed);
      if (problem === undefined) folders.push(installed.folder);
      else problems.push(problem);
    }
    const build = nativeBuild({gpu});
    const cached = build && nativeBuildFolder(build);
    const folder = cached && join(cached, 'node_modules/@tensorflow/tfjs-node');
    if (folder !== undefined && existsSync(folder)) folders.push(folder);
    const outdated = build && outdatedBuild(build);
    if (outdated !== undefined) problems.push(`the one in ${outdated} was built for another processor or version`);
  }
  return {folders, problems};
}

type Installed = {readonly folder: string; readonly version: string};

function findInProject(name: string): Installed | undefined {
  for (const base of [pathToFileURL(join(process.cwd(), 'package.json')), import.meta.url]) {
    const require = createRequire(base);
    try {
      const path = require.resolve(`${name}/package.json`);
      return {folder: dirname(path), version: (require(path) as {version: string}).version};
    } catch {
      // Not there: the next base may have it.
    }
  }
  return undefined;
}

function findProblem(name: string, {folder, version}: Installed): string | undefined {
  if (version !== tfjsVersion)
    return `${name} in ${folder} must have version ${tfjsVersion}: current value is ${version}`;
  if (findAddon(folder) === undefined) return `${name} in ${folder} has no addon, as its install script did not run`;
  return undefined;
}
