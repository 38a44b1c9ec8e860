import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/** Where the code is that decides what a step computes, and how it is recorded. */
const folders = ['.', 'kernels', 'compressors', 'compile'];

let digest: string | undefined;

/** Digest of the code of the model as it runs: what was kept of another version of it is not to be used. */
export function codeDigest(): string {
  if (digest !== undefined) return digest;
  const hash = createHash('sha256');
  for (const name of folders) {
    const folder = fileURLToPath(new URL(`${name}/`, import.meta.url));
    // In an application that is bundled, all code is in one folder.
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).sort()) {
      if (/\.[cm]?[jt]s$/.test(file) && !file.endsWith('.d.ts')) hash.update(readFileSync(`${folder}${file}`));
    }
  }
  digest = hash.digest('hex');
  return digest;
}
