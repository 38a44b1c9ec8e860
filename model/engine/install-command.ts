import type {EngineName} from './engine.ts';
import {nativeBuild, type Platform} from './native-build.ts';
import {tfjsVersion} from './tfjs-version.ts';

/** The command that makes an engine available; undefined where nothing does. */
export function installCommand(
  engine: EngineName,
  {platform = process.platform, arch = process.arch}: Platform = {},
): string | undefined {
  if (engine === 'wasm' || engine === 'cpu') return 'npm install palimpsest';
  const gpu = engine === 'gpu';
  if (nativeBuild({gpu, platform, arch}) !== undefined) return `npx palimpsest native install${gpu ? ' --gpu' : ''}`;
  if (gpu && platform !== 'win32') return undefined;
  return `npm install ${gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node'}@${tfjsVersion}`;
}
