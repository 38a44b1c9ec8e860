import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';

/**
 * Writes a file so that its path holds either what was there before or all of the new content, also after a crash.
 *
 * @returns Bytes written.
 */
export async function writeFileAtomically(path: string, pieces: Iterable<Uint8Array>): Promise<number> {
  const temporary = `${path}.${process.pid}.partial`;
  let length = 0;
  try {
    const file = await open(temporary, 'w');
    try {
      for (const piece of pieces) {
        let done = 0;
        while (done < piece.length) {
          done += (await file.write(piece, done, Math.min(piece.length - done, 2 ** 30))).bytesWritten;
        }
        length += piece.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
  await syncDirectory(dirname(path));
  return length;
}

async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle;
  try {
    directory = await open(path, 'r');
  } catch {
    // Windows cannot open directories; there a rename is durable by itself.
    return;
  }
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
