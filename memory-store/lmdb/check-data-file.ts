import {open, stat, truncate} from 'node:fs/promises';
import {CorruptMemoryError} from '../../errors.ts';

/** Pages that were freed at the end of the file need not have been written. */
const slack = 2 ** 20;

/**
 * Makes sure that LMDB can open a data file: it ends the process when the file is not its own or ends too early, as it
 * reads through a memory map.
 *
 * @param file An absent or empty file is a new store and passes; nobody writes to it meanwhile.
 * @param options `readOnly` leaves a file as it is that ends before pages which were freed unwritten.
 * @throws {CorruptMemoryError} If the file is not LMDB's or is truncated.
 */
export async function checkDataFile(file: string, {readOnly}: {readonly readOnly: boolean}): Promise<void> {
  const {size} = await stat(file).catch(() => ({size: 0}));
  if (size === 0) return;
  const metas = await readMetas(file);
  const newest = metas.sort((a, b) => Number(b.transaction - a.transaction))[0];
  if (metas.length !== 2 || newest === undefined) {
    throw damaged(file, 'does not begin like a store');
  }
  const needed = (newest.lastPage + 1) * newest.pageSize;
  if (needed > size + slack) throw damaged(file, `has ${size} of ${needed} bytes`);
  if (needed > size && !readOnly) await truncate(file, needed);
}

type Meta = {readonly pageSize: number; readonly lastPage: number; readonly transaction: bigint};

/** The two pages that say where everything else lies: 24 bytes of page header, then LMDB's `MDB_meta` of data version 2. */
async function readMetas(file: string): Promise<Meta[]> {
  const handle = await open(file);
  try {
    const metas: Meta[] = [];
    const page = Buffer.alloc(160);
    let at = 0;
    for (let i = 0; i < 2; i++) {
      const {bytesRead} = await handle.read(page, 0, page.length, at);
      if (bytesRead < page.length || (page.readUInt16LE(18) & 0x08) === 0) break;
      if (page.readUInt32LE(24) !== 0xbeefc0de || page.readUInt32LE(28) !== 2) break;
      const pageSize = page.readUInt32LE(48);
      if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) break;
      metas.push({
        pageSize,
        lastPage: Number(page.readBigUInt64LE(144)),
        transaction: page.readBigUInt64LE(152),
      });
      at += pageSize;
    }
    return metas;
  } finally {
    await handle.close();
  }
}

function damaged(file: string, how: string): CorruptMemoryError {
  return new CorruptMemoryError(
    `Cannot open the store as its data file must be whole: "${file}" ${how}; restore it from a backup, or remove the folder and replay the input`,
  );
}
