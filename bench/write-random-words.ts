import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {finished} from 'node:stream/promises';

const letters = 'abcdefghijklmnopqrstuvwxyz      ';
const pieceBytes = 2 ** 16;

/** Writes a file of as many bytes of lower-case letters and spaces, the same at every call. */
export async function writeRandomWords(path: string, bytes: number): Promise<void> {
  const file = createWriteStream(path);
  let random = 1;
  for (let written = 0; written < bytes; written += pieceBytes) {
    const piece = Buffer.alloc(Math.min(pieceBytes, bytes - written));
    for (let i = 0; i < piece.length; i++) {
      // A linear congruential generator; its high bits are the good ones.
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      piece[i] = letters.charCodeAt(random >>> 27);
    }
    if (!file.write(piece)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}
