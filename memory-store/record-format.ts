import {endianness} from 'node:os';
import {crc32} from 'node:zlib';
import {Packr} from 'msgpackr';
import {StoreError} from '../errors.ts';
import type {MemoryDtype} from './memory-dtype.ts';

/**
 * Where things lie in a stored record; `docs/memory-store.md` draws the picture. The first 32 bytes mean the same in every
 * version of the format, so that any reader can tell a newer record from a damaged one.
 */
export const recordFormat = {
  /** As in PNG: a byte that is not ASCII, a name, and line ends that a text-mode copy would change. */
  magic: Uint8Array.of(0x89, 0x50, 0x4c, 0x4d, 0x50, 0x0d, 0x0a, 0x1a),
  version: 2,
  /** Version 1 has no lexical counts, and lies as version 2 does without any. */
  oldestVersion: 1,
  headerBytes: 32,
  versionAt: 8,
  checksumAt: 12,
  totalAt: 16,
  fieldsBytesAt: 24,
  alignment: 64,
  largestRecord: 2 ** 30,
} as const;

/** Records decode without tables of their own: a stored value must be readable by any later process. */
export const packr = new Packr({useRecords: false});

/** The small part of a record; the arrays follow it in the order of {@link sectionsOf}. */
export type RecordFields = {
  readonly fingerprint: string;
  readonly partition: string;
  /** In decimal, as it has no upper bound. */
  readonly offset: string;
  readonly timestamp: number;
  readonly segments: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly bits: number;
  readonly carry: number;
  readonly pendingTokens: number;
  readonly pendingByteLengths: number;
  readonly hiddenSum: number;
  readonly lexicalCounts: number;
  readonly lastToken: number;
  readonly dtype: MemoryDtype;
  readonly memoryCount: number;
  readonly compressedMemoryCount: number;
  readonly tensors: readonly (readonly [name: string, shape: readonly number[]])[];
};

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** Where each array lies, and the length of the whole record. */
export function sectionsOf(fields: RecordFields, fieldsBytes: number): {offsets: number[]; total: number} {
  const tensorElement = fields.dtype === 'float16' ? 2 : 4;
  const lengths = [
    fields.carry,
    fields.pendingTokens * 4,
    fields.pendingByteLengths * 4,
    fields.hiddenSum * 8,
    fields.lexicalCounts * 4,
    ...fields.tensors.map(([, shape]) => sizeOf(shape) * tensorElement),
  ];
  let total = recordFormat.headerBytes + fieldsBytes;
  const offsets = lengths.map(length => {
    const offset = Math.ceil(total / recordFormat.alignment) * recordFormat.alignment;
    total = offset + length;
    return offset;
  });
  return {offsets, total};
}

/** CRC-32 of all bytes but its own four. */
export function checksumOf(record: Uint8Array): number {
  const {checksumAt} = recordFormat;
  return crc32(record.subarray(checksumAt + 4), crc32(record.subarray(0, checksumAt)));
}

/** Arrays are stored as they lie in memory. */
export function checkByteOrder(): void {
  if (endianness() !== 'LE') {
    throw new StoreError(
      'Cannot store memories as the machine must be little-endian: current byte order is big-endian',
    );
  }
}
