import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** A folder that did not exist before, and how to remove it. */
export async function temporaryFolder(): Promise<{path: string; remove(): Promise<void>}> {
  const path = await mkdtemp(join(tmpdir(), 'palimpsest-store-'));
  return {path, remove: () => rm(path, {recursive: true, force: true})};
}
