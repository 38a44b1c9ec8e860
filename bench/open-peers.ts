import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {cacheFolder} from '../model/engine/cache-folder.ts';
import {runCommand} from '../model/engine/run-command.ts';
import {pythonEnvironment} from './python-environment.ts';

const peers = fileURLToPath(new URL('../../bench/peers/', import.meta.url));

/**
 * Prepares the peers, and makes sure that ours in PyTorch computes the same model.
 *
 * @param check Program that compares it with the reference, in `bench/peers/`.
 * @returns The Python interpreter to run them with.
 */
export async function openPeers(check: string): Promise<string> {
  const python = await pythonEnvironment({
    requirements: join(peers, 'requirements.txt'),
    cache: cacheFolder(),
    onBuild: folder => console.error(`Making the Python environment of the peers in ${folder}; this takes minutes`),
  });
  const result = await runCommand([python, join(peers, check)], {env: {CUDA_VISIBLE_DEVICES: ''}});
  console.log(`pytorch: ${result.trim()}\n`);
  return python;
}
