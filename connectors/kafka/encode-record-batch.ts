import {crc32c} from '@node-rs/crc32';
import {compressionCodec} from './compression-codec.ts';
import {recordBatchFormat} from './record-batch-format.ts';

/** A record as kafkajs's producer passes it on. */
export type RecordToWrite = {
  readonly key: Buffer | string;
  /** `null` for a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** In milliseconds since 1970. */
  readonly timestamp: string;
};

export type RecordBatchToWrite = {
  readonly records: readonly RecordToWrite[];
  /** Kafka's number of the codec, 0 for none. */
  readonly compression: number;
  readonly transactional: boolean;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
};

const at = recordBatchFormat;

/**
 * Records that a producer writes together, copied once; kafkajs copies each record seven times on its way here, and computes its checksum in
 * JavaScript.
 *
 * @param allocate Gives memory to write into.
 */
export async function encodeRecordBatch(
  batch: RecordBatchToWrite,
  allocate: (length: number) => Buffer = Buffer.allocUnsafe,
): Promise<Buffer> {
  const {records, compression, producerId, producerEpoch, firstSequence} = batch;
  const timestamps = records.map(({timestamp}) => Number(timestamp));
  const baseTimestamp = timestamps.reduce((least, timestamp) => Math.min(least, timestamp));
  const bodies = records.map((record, i) => bodyLength(record, timestamps[i]! - baseTimestamp, i));
  const length = bodies.reduce((sum, body) => sum + numberLength(body) + body, 0);

  const start = compression === 0 ? at.records : 0;
  const fields = new FieldsWriter(allocate(start + length), start);
  for (const [i, record] of records.entries()) fields.record(record, bodies[i]!, timestamps[i]! - baseTimestamp, i);

  let bytes = fields.bytes;
  if (compression !== 0) {
    const compressed = await compressionCodec(compression)!.compress(bytes);
    bytes = Buffer.concat([Buffer.allocUnsafe(at.records), compressed]);
  }
  // The offset and the leader's epoch are the broker's to fill in.
  bytes.fill(0, 0, at.records);
  bytes.writeInt32BE(bytes.length - at.prefixBytes, at.length);
  bytes.writeInt8(2, at.format);
  bytes.writeInt16BE(compression | (batch.transactional ? at.transactional : 0), at.attributes);
  bytes.writeInt32BE(records.length - 1, at.lastOffsetDelta);
  bytes.writeBigInt64BE(BigInt(baseTimestamp), at.baseTimestamp);
  bytes.writeBigInt64BE(BigInt(timestamps.reduce((most, timestamp) => Math.max(most, timestamp))), at.maxTimestamp);
  bytes.writeBigInt64BE(producerId, at.producerId);
  bytes.writeInt16BE(producerEpoch, at.producerEpoch);
  bytes.writeInt32BE(firstSequence, at.firstSequence);
  bytes.writeInt32BE(records.length, at.count);
  bytes.writeUInt32BE(crc32c(bytes.subarray(at.attributes)), at.checksum);
  return bytes;
}

/** Of a record, without the number in front of it that says so. */
function bodyLength({key, value, headers}: RecordToWrite, timestampDelta: number, offsetDelta: number): number {
  const names = Object.entries(headers);
  let length = 1 + numberLength(timestampDelta) + numberLength(offsetDelta) + blobLength(key) + blobLength(value);
  length += numberLength(names.length);
  for (const [name, text] of names) length += blobLength(name) + blobLength(text);
  return length;
}

function blobLength(blob: Buffer | string | null): number {
  if (blob === null) return numberLength(-1);
  const length = Buffer.byteLength(blob);
  return numberLength(length) + length;
}

function numberLength(number: number): number {
  let length = 1;
  for (let rest = zigzag(number); rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Odd ones are negative. Exact up to 2^52. */
function zigzag(number: number): number {
  return number < 0 ? -2 * number - 1 : 2 * number;
}

/** Writes fields one after the other. */
class FieldsWriter {
  readonly bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes;
    this.#at = start;
  }

  record({key, value, headers}: RecordToWrite, length: number, timestampDelta: number, offsetDelta: number): void {
    this.#number(length);
    // Attributes, of which there are none.
    this.bytes[this.#at++] = 0;
    this.#number(timestampDelta);
    this.#number(offsetDelta);
    this.#blob(key);
    this.#blob(value);
    const names = Object.entries(headers);
    this.#number(names.length);
    for (const [name, text] of names) {
      this.#blob(name);
      this.#blob(text);
    }
  }

  #blob(blob: Buffer | string | null): void {
    if (blob === null) {
      this.#number(-1);
      return;
    }
    this.#number(Buffer.byteLength(blob));
    this.#at += typeof blob === 'string' ? this.bytes.write(blob, this.#at) : blob.copy(this.bytes, this.#at);
  }

  /** Seven bits a byte, the lowest first. */
  #number(number: number): void {
    let rest = zigzag(number);
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.bytes[this.#at++] = (rest % 128) + 128;
    this.bytes[this.#at++] = rest;
  }
}
