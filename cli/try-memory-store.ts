import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {LmdbStore} from '../memory-store/lmdb-store.ts';

/** Writes to and reads from a store in a temporary folder. */
export async function tryMemoryStore(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-doctor-'));
  try {
    await using store = await LmdbStore.open(folder);
    await store.commit([], {partitions: new Map(), outputs: new Map([['doctor', 1n]])});
    if ((await store.progress()).outputs.get('doctor') !== 1n)
      throw new Error('LMDB does not give back what was written');
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
  return 'LMDB reads and writes';
}
