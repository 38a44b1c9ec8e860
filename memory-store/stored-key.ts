import {createHash} from 'node:crypto';

/** LMDB's keys end at 1978 bytes; shorter ones keep its inner pages small. */
const longestPlain = 500;

/** A key of bounded length for any name: the name itself, or its digest. The first byte tells which, so that no two meet. */
export function storedKey(name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= longestPlain) return Buffer.concat([Buffer.of(1), bytes]);
  return Buffer.concat([Buffer.of(2), createHash('sha256').update(bytes).digest()]);
}
