import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** Folder of the C++ sources of the fused kernels. */
export const fusedFolder = fileURLToPath(new URL('../../../model/engine/fused/', import.meta.url));

/** Digest of the fused kernels' sources and of what this processor can do, since they are compiled for it. 8 hex digits */
export function fusedDigest(): string {
  const digest = createHash('sha256').update(process.arch);
  for (const file of readdirSync(fusedFolder).sort()) digest.update(readFileSync(join(fusedFolder, file)));
  return digest.update(processorFeatures()).digest('hex').slice(0, 8);
}

/** The first processor's list of instruction sets, as Linux gives it. */
function processorFeatures(): string {
  const description = readFileSync('/proc/cpuinfo', 'utf8');
  return /^(?:flags|Features)\s*:(.*)$/m.exec(description)?.[1] ?? '';
}
