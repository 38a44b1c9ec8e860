import type {ReadStretch} from './read-documents.ts';

/** Bits that texts took, and their bytes. */
export type BitsPerByte = {
  readonly bits: number;
  readonly bytes: number;
  readonly tokens: number;
  readonly bitsPerByte: number;
};

/** Adds up what was read. */
export async function bitsPerByte(stretches: AsyncIterable<ReadStretch>): Promise<BitsPerByte> {
  let bits = 0;
  let bytes = 0;
  let tokens = 0;
  for await (const stretch of stretches) {
    for (const value of stretch.bits) bits += value;
    bytes += stretch.text.length;
    tokens += stretch.ids.length;
  }
  return {bits, bytes, tokens, bitsPerByte: bits / bytes};
}
