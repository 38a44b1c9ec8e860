import {createHash} from 'node:crypto';

/** LMDB's keys end at 1978 bytes; shorter ones keep its inner pages small. */
const longestPlain = 500;
/** First bytes, which keep names and digests apart. */
const plain = 1;
const digested = 2;

/** Keys of bounded length for any name: the name itself, or its digest. */
export const storedKey = {
  of(name: string): Buffer {
    const bytes = Buffer.from(name);
    if (bytes.length <= longestPlain) return Buffer.concat([Buffer.of(plain), bytes]);
    return Buffer.concat([Buffer.of(digested), createHash('sha256').update(bytes).digest()]);
  },

  /** The name that a key holds, if it is not a digest. */
  name(key: Buffer): string | undefined {
    return key[0] === plain ? key.toString('utf8', 1) : undefined;
  },
};
