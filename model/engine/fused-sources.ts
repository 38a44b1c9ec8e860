import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {addonFlags} from './addon-flags.ts';
import {addonPatches} from './addon-patches.ts';
import {instructionSets} from './instruction-sets.ts';

/** Folder of the C++ sources of the fused kernels. */
export const fusedFolder = fileURLToPath(new URL('../../../model/engine/fused/', import.meta.url));

/**
 * Digest of all that we compile into the addon, how, and what this processor can do, since it is compiled for it. 8 hex digits
 *
 * @returns `undefined` if the sources are not there, as in an application that is bundled.
 */
export function fusedDigest(): string | undefined {
  if (!existsSync(fusedFolder)) return undefined;
  const digest = createHash('sha256').update(process.arch);
  for (const file of readdirSync(fusedFolder).sort()) digest.update(readFileSync(join(fusedFolder, file)));
  digest.update(JSON.stringify([addonFlags, addonPatches]));
  return digest
    .update(instructionSets(readFileSync('/proc/cpuinfo', 'utf8')))
    .digest('hex')
    .slice(0, 8);
}
