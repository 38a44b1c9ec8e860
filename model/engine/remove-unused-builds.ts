import {readdir, readFile, realpath, rename, rm} from 'node:fs/promises';
import {basename, dirname, join, sep} from 'node:path';
import {type OtherBuild, otherBuilds} from './other-builds.ts';
import {unfinishedPrefix} from './unfinished-prefix.ts';

/** Another version of the project may be in use beside this one, if only now and then. */
const unusedMs = 7 * 86_400_000;

/**
 * Removes native engines of other versions that no process has opened for a week, or has open.
 *
 * @returns What was removed.
 */
export async function removeUnusedBuilds(): Promise<OtherBuild[]> {
  const unused: OtherBuild[] = [];
  for (const build of await otherBuilds()) {
    if (Date.now() - build.usedAt.getTime() < unusedMs || (await isOpen(build.folder))) continue;
    // Nobody is to meet half of it, and what is left after an interruption is removed by a later installation.
    const leaving = join(dirname(build.folder), `${unfinishedPrefix}${basename(build.folder)}`);
    await rename(build.folder, leaving);
    await rm(leaving, {recursive: true, force: true, maxRetries: 3});
    unused.push(build);
  }
  return unused;
}

/** Whether a process has mapped a file of a folder; no, where the system does not tell. */
async function isOpen(folder: string): Promise<boolean> {
  const beginning = `${await realpath(folder)}${sep}`;
  const processes = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name));
  for (const id of processes) {
    const maps = await readFile(`/proc/${id}/maps`, 'utf8').catch(() => '');
    if (maps.includes(beginning)) return true;
  }
  return false;
}
