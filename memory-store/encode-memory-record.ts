import {knownEncodings} from './known-encodings.ts';
import type {MemoryDtype} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';
import {writeMemoryRecord} from './write-memory-record.ts';

export type EncodeMemoryRecordOptions = {
  /**
   * How to store the memory's tensors; `float16` halves the record and rounds to nearest even.
   *
   * @default 'float32'
   */
  readonly dtype?: MemoryDtype;
};

/**
 * Encodes a record as bytes that depend on nothing but its content, and are the caller's. float32 keeps every bit.
 *
 * @throws {TypeError} If a field has the wrong type.
 * @throws {RangeError} If a tensor's data does not fit its shape, does not fit float16, or the record exceeds 1 GiB.
 */
export function encodeMemoryRecord(
  record: MemoryRecord,
  {dtype = 'float32'}: EncodeMemoryRecordOptions = {},
): Uint8Array {
  const known = knownEncodings.get(record, dtype);
  return known === undefined
    ? writeMemoryRecord(record, {dtype, allocate: length => new Uint8Array(length)})
    : Uint8Array.from(known);
}
