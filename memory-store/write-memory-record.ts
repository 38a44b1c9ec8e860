import {float32ToFloat16} from '../float16/float32-to-float16.ts';
import {type MemoryDtype, memoryDtypes} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';
import {
  checkByteOrder,
  checksumOf,
  packr,
  type RecordFields,
  recordFormat,
  sectionsOf,
  sizeOf,
} from './record-format.ts';

export type WriteMemoryRecordOptions = {
  readonly dtype: MemoryDtype;
  /** Gives bytes to write into, with anything in them. */
  readonly allocate: (length: number) => Uint8Array;
};

/**
 * Encodes a record into bytes that are given.
 *
 * @throws {TypeError} If a field has the wrong type.
 * @throws {RangeError} If a tensor's data does not fit its shape, does not fit float16, or the record exceeds 1 GiB.
 */
export function writeMemoryRecord(record: MemoryRecord, {dtype, allocate}: WriteMemoryRecordOptions): Uint8Array {
  checkByteOrder();
  checkDtype(dtype);
  const {summary, memory, position} = record;
  if (typeof position.offset !== 'bigint') {
    throw new TypeError(
      `Cannot encode a record as its offset must be a bigint: current type is ${typeof position.offset}`,
    );
  }
  const tensors = Object.entries(memory.tensors).sort(([a], [b]) => (a < b ? -1 : 1));
  const fields: RecordFields = {
    fingerprint: record.fingerprint,
    partition: position.partition,
    offset: position.offset.toString(),
    timestamp: record.timestamp,
    segments: record.segments,
    tokens: summary.tokens,
    bytes: summary.bytes,
    bits: summary.bits,
    carry: arrayOf('carry', record.carry, Uint8Array).length,
    pendingTokens: arrayOf('pendingTokens', record.pendingTokens, Int32Array).length,
    pendingByteLengths: arrayOf('pendingByteLengths', record.pendingByteLengths, Int32Array).length,
    hiddenSum: arrayOf('summary.hiddenSum', summary.hiddenSum, Float64Array).length,
    lexicalCounts: arrayOf('summary.lexicalCounts', summary.lexicalCounts, Uint32Array).length,
    lastToken: summary.lastToken,
    dtype,
    memoryCount: memory.memoryCount,
    compressedMemoryCount: memory.compressedMemoryCount,
    tensors: tensors.map(([name, {shape}]) => [name, [...shape]]),
  };
  const sections: ArrayBufferView[] = [
    record.carry,
    record.pendingTokens,
    record.pendingByteLengths,
    summary.hiddenSum,
    summary.lexicalCounts,
  ];
  for (const [name, {shape, data}] of tensors) {
    arrayOf(name, data, Float32Array);
    if (!shape.every(length => Number.isSafeInteger(length) && length >= 0) || data.length !== sizeOf(shape)) {
      throw new RangeError(
        `Cannot encode tensor "${name}" as its data must fill its shape [${shape}]: current length is ${data.length}`,
      );
    }
    sections.push(dtype === 'float16' ? halvesOf(name, data) : data);
  }

  const packed = packr.pack(fields);
  const {offsets, total} = sectionsOf(fields, packed.length);
  if (total > recordFormat.largestRecord) {
    throw new RangeError(
      `Cannot encode a record as it must not exceed ${recordFormat.largestRecord} bytes: current length is ${total}`,
    );
  }
  const bytes = allocate(total);
  bytes.fill(0, 0, recordFormat.headerBytes);
  const header = new DataView(bytes.buffer, bytes.byteOffset, recordFormat.headerBytes);
  bytes.set(recordFormat.magic);
  header.setUint16(recordFormat.versionAt, recordFormat.version, true);
  header.setBigUint64(recordFormat.totalAt, BigInt(total), true);
  header.setUint32(recordFormat.fieldsBytesAt, packed.length, true);
  bytes.set(packed, recordFormat.headerBytes);
  let end = recordFormat.headerBytes + packed.length;
  for (const [i, section] of sections.entries()) {
    bytes.fill(0, end, offsets[i]);
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), offsets[i]!);
    end = offsets[i]! + section.byteLength;
  }
  header.setUint32(recordFormat.checksumAt, checksumOf(bytes), true);
  return bytes;
}

function checkDtype(dtype: MemoryDtype): void {
  if (!memoryDtypes.includes(dtype)) {
    throw new RangeError(
      `Cannot encode a record as dtype must be one of ${memoryDtypes.join(', ')}: current value is ${dtype}`,
    );
  }
}

function arrayOf<T>(name: string, value: T, type: new (length: number) => T): T {
  if (value instanceof type) return value;
  throw new TypeError(`Cannot encode a record as "${name}" must be a ${type.name}: current value is ${value}`);
}

function halvesOf(name: string, data: Float32Array): Uint16Array {
  const halves = float32ToFloat16(data);
  for (let i = 0; i < halves.length; i++) {
    if ((halves[i]! & 0x7fff) === 0x7c00 && Number.isFinite(data[i])) {
      throw new RangeError(
        `Cannot encode tensor "${name}" as float16 as values must be below 65520: current value is ${data[i]}; use float32`,
      );
    }
  }
  return halves;
}
