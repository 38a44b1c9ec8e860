import {CorruptMemoryError, StoreError} from '../errors.ts';
import {float16ToFloat32} from '../float16/float16-to-float32.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import {knownEncodings} from './known-encodings.ts';
import {memoryDtypes} from './memory-dtype.ts';
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

export type DecodeMemoryRecordOptions = {
  /**
   * Keeps `bytes`, which must not change any more, for as long as the record lives, and encodes it as them.
   *
   * @default false
   */
  readonly keep?: boolean;
};

/**
 * Decodes what `encodeMemoryRecord` gave. Everything is copied: the result shares no memory with `bytes`.
 *
 * @param documentId For error messages.
 * @throws {CorruptMemoryError} If the bytes are truncated, damaged or no record at all.
 * @throws {StoreError} If a newer version of Palimpsest wrote them.
 */
export function decodeMemoryRecord(
  bytes: Uint8Array,
  documentId: string,
  {keep = false}: DecodeMemoryRecordOptions = {},
): MemoryRecord {
  checkByteOrder();
  const {version, fieldsBytes} = verifiedHeader(bytes, documentId);
  const {headerBytes} = recordFormat;
  // Only bytes whose checksum holds come here, yet whoever computed it may have been wrong about the rest.
  let fields: unknown;
  try {
    fields = packr.unpack(bytes.subarray(headerBytes, headerBytes + fieldsBytes));
  } catch (cause) {
    throw corrupt(documentId, 'its fields cannot be decoded', cause);
  }
  if (version === 1) fields = {...(fields as object), ...withoutCounts};
  if (!areRecordFields(fields)) throw corrupt(documentId, 'its fields are not those of a record');
  const {offsets, total} = sectionsOf(fields, fieldsBytes);
  if (total !== bytes.length) throw corrupt(documentId, 'its arrays do not fill it');

  let section = 0;
  const copy = (byteLength: number) => {
    const start = offsets[section++]!;
    // Not `slice`, which on a Buffer is a view.
    const array = new Uint8Array(byteLength);
    array.set(bytes.subarray(start, start + byteLength));
    return array.buffer;
  };
  const carry = new Uint8Array(copy(fields.carry));
  const pendingTokens = new Int32Array(copy(fields.pendingTokens * 4));
  const pendingByteLengths = new Int32Array(copy(fields.pendingByteLengths * 4));
  const hiddenSum = new Float64Array(copy(fields.hiddenSum * 8));
  const lexicalCounts = new Uint32Array(copy(fields.lexicalCounts * 4));
  const tensors = fields.tensors.map(([name, shape]): [string, TensorData] => {
    const size = sizeOf(shape);
    const data =
      fields.dtype === 'float16' ? float16ToFloat32(new Uint16Array(copy(size * 2))) : new Float32Array(copy(size * 4));
    return [name, {shape, data}];
  });
  const record: MemoryRecord = {
    fingerprint: fields.fingerprint,
    position: {partition: fields.partition, offset: BigInt(fields.offset)},
    timestamp: fields.timestamp,
    segments: fields.segments,
    carry,
    pendingTokens,
    pendingByteLengths,
    summary: {
      tokens: fields.tokens,
      bytes: fields.bytes,
      bits: fields.bits,
      hiddenSum,
      lexicalCounts,
      lastToken: fields.lastToken,
    },
    memory: {
      memoryCount: fields.memoryCount,
      compressedMemoryCount: fields.compressedMemoryCount,
      tensors: Object.fromEntries(tensors),
    },
  };
  if (keep) knownEncodings.set(record, {dtype: fields.dtype, bytes});
  return record;
}

/** What records of version 1 lack. */
const withoutCounts = {lexicalCounts: 0, lastToken: -1} satisfies Partial<RecordFields>;

function verifiedHeader(bytes: Uint8Array, documentId: string): {version: number; fieldsBytes: number} {
  const {magic, headerBytes, versionAt, checksumAt, totalAt, fieldsBytesAt, largestRecord} = recordFormat;
  if (magic.some((byte, i) => bytes[i] !== byte)) throw corrupt(documentId, 'it does not begin like a record');
  if (bytes.length < headerBytes) throw corrupt(documentId, `it ends after ${bytes.length} bytes`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const total = header.getBigUint64(totalAt, true);
  if (total !== BigInt(bytes.length) || bytes.length > largestRecord) {
    throw corrupt(documentId, `it has ${bytes.length} bytes where its header says ${total}`);
  }
  if (checksumOf(bytes) !== header.getUint32(checksumAt, true)) throw corrupt(documentId, 'its checksum does not hold');
  const found = header.getUint16(versionAt, true);
  const {version, oldestVersion} = recordFormat;
  if (found > version) {
    throw new StoreError(
      `Cannot read the memory of document "${documentId}" as its format must be at most ${version}: current format is ${found}; upgrade Palimpsest`,
    );
  }
  const fieldsBytes = header.getUint32(fieldsBytesAt, true);
  if (found < oldestVersion || headerBytes + fieldsBytes > bytes.length)
    throw corrupt(documentId, 'its header is not valid');
  return {version: found, fieldsBytes};
}

function areRecordFields(value: unknown): value is RecordFields {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<keyof RecordFields, unknown>;
  return (
    typeof fields.fingerprint === 'string' &&
    typeof fields.partition === 'string' &&
    typeof fields.offset === 'string' &&
    /^-?\d{1,100}$/.test(fields.offset) &&
    [fields.timestamp, fields.segments, fields.tokens, fields.bytes, fields.bits].every(n => typeof n === 'number') &&
    [fields.carry, fields.pendingTokens, fields.pendingByteLengths, fields.hiddenSum, fields.lexicalCounts].every(
      isLength,
    ) &&
    Number.isSafeInteger(fields.lastToken) &&
    [fields.memoryCount, fields.compressedMemoryCount].every(isLength) &&
    memoryDtypes.some(dtype => dtype === fields.dtype) &&
    Array.isArray(fields.tensors) &&
    fields.tensors.every(isTensorEntry)
  );
}

function isTensorEntry(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [name, shape] = value;
  return typeof name === 'string' && Array.isArray(shape) && shape.every(isLength);
}

function isLength(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function corrupt(documentId: string, what: string, cause?: unknown): CorruptMemoryError {
  return new CorruptMemoryError(
    `Cannot read the memory of document "${documentId}" as ${what}: forget the document and replay its input`,
    {cause},
  );
}
