import {knownEncodings} from './known-encodings.ts';
import type {LentBuffers} from './lent-buffers.ts';
import type {MemoryDtype} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';
import {writeMemoryRecord} from './write-memory-record.ts';

/**
 * The bytes of a record for somebody who only reads them, the same ones for all who ask until they are given back.
 *
 * @throws As `encodeMemoryRecord`.
 */
export function encodeOnce(
  record: MemoryRecord,
  {dtype, buffers}: {dtype: MemoryDtype; buffers: LentBuffers},
): Uint8Array {
  const known = knownEncodings.get(record, dtype);
  if (known !== undefined) return known;
  const bytes = writeMemoryRecord(record, {dtype, allocate: length => buffers.take(length)});
  knownEncodings.set(record, {dtype, bytes, loan: buffers});
  return bytes;
}
