import {crc32} from 'node:zlib';
import {CorruptMemoryError} from '../errors.ts';
import {packr} from './record-format.ts';

/** A small value behind its own checksum. */
export function sealValue(value: unknown): Buffer {
  const packed = packr.pack(value);
  const sealed = Buffer.allocUnsafe(4 + packed.length);
  sealed.writeUInt32LE(crc32(packed));
  sealed.set(packed, 4);
  return sealed;
}

/**
 * What {@link sealValue} sealed. The checksum vouches for the type as well, as only that function writes these bytes.
 *
 * @param what For the error message.
 * @throws {CorruptMemoryError} If the bytes have changed since.
 */
export function openSealedValue<T>(sealed: Uint8Array, what: string): T {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 4 || crc32(bytes.subarray(4)) !== bytes.readUInt32LE()) {
    throw new CorruptMemoryError(
      `Cannot read ${what} as its checksum does not hold: restore the store from a backup, or remove it and replay the input`,
    );
  }
  return packr.unpack(bytes.subarray(4));
}
