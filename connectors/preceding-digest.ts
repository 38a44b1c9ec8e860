import {createHash} from 'node:crypto';
import type {InputBuffer} from './input-buffer.ts';

/** Digest of the last bytes that were taken from a buffer or passed over. */
export function precedingDigest(buffer: InputBuffer): string {
  return createHash('sha256').update(buffer.preceding).digest('base64url').slice(0, 16);
}
