import {SourceError} from '../../errors.ts';
import {compressionCodec} from './compression-codec.ts';
import type {FetchedMessage} from './kafka-client.ts';
import {recordBatchFormat} from './record-batch-format.ts';

/** Records that a producer wrote together, or the mark behind one of its transactions. */
export type RecordBatch = {
  /** Of the last record that was written, whether or not compaction has left it. */
  readonly lastOffset: bigint;
  readonly producerId: bigint;
  readonly transactional: boolean;
  /** The mark, if this is one. */
  readonly mark: 'abort' | 'commit' | undefined;
  /** Gives the records of another batch than a mark; decompresses them. */
  readonly messages: () => Promise<FetchedMessage[]>;
};

const {prefixBytes, logAppendTime, transactional, control, ...at} = recordBatchFormat;
const nothing = Buffer.alloc(0);

/**
 * Takes apart what a broker answers to a fetch. Compaction leaves batches without records, which tell how far has been read; the
 * last batch may be cut off, and is left out.
 *
 * @throws {SourceError} If a record is of a format from before Kafka 0.11.
 */
export function* recordBatches(bytes: Buffer): Generator<RecordBatch, void> {
  for (let start = 0; start + at.records <= bytes.length; ) {
    const end = start + prefixBytes + bytes.readInt32BE(start + at.length);
    const format = bytes.readInt8(start + at.format);
    if (format !== 2) {
      throw new SourceError(
        `Cannot read records as they must be of format 2, which Kafka has written since version 0.11: current format is ${format}; copy the topic`,
      );
    }
    if (end > bytes.length) return;
    yield recordBatch(bytes.subarray(start, end));
    start = end;
  }
}

function recordBatch(batch: Buffer): RecordBatch {
  const attributes = batch.readInt16BE(at.attributes);
  const baseOffset = batch.readBigInt64BE(0);
  return {
    lastOffset: baseOffset + BigInt(batch.readInt32BE(at.lastOffsetDelta)),
    producerId: batch.readBigInt64BE(at.producerId),
    transactional: (attributes & transactional) !== 0,
    mark: (attributes & control) === 0 ? undefined : markOf(batch),
    async messages() {
      const codec = compressionCodec(attributes & at.compression);
      const records = batch.subarray(at.records);
      const count = batch.readInt32BE(at.count);
      const baseTimestamp = Number(batch.readBigInt64BE(at.baseTimestamp));
      const appended = (attributes & logAppendTime) !== 0 ? Number(batch.readBigInt64BE(at.maxTimestamp)) : undefined;
      const fields = new Fields(codec === undefined || count === 0 ? records : await codec.decompress(records));
      return Array.from({length: count}, () => fields.message({baseOffset, baseTimestamp, appended}));
    },
  };
}

/** The key of a mark is its version and its kind, which is 0 for abort. A batch of marks may be empty. */
function markOf(batch: Buffer): 'abort' | 'commit' | undefined {
  if (batch.readInt32BE(at.count) === 0) return 'commit';
  const key = new Fields(batch.subarray(at.records)).message({baseOffset: 0n, baseTimestamp: 0, appended: 0}).key!;
  return Buffer.from(key).readInt16BE(2) === 0 ? 'abort' : 'commit';
}

/** Reads fields one after the other. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  message({
    baseOffset,
    baseTimestamp,
    appended,
  }: {
    baseOffset: bigint;
    baseTimestamp: number;
    appended: number | undefined;
  }): FetchedMessage {
    this.#number();
    // Attributes, of which there are none.
    this.#at++;
    const timestamp = baseTimestamp + this.#number();
    const offset = baseOffset + BigInt(this.#number());
    const key = this.#blob();
    const value = this.#blob();
    const headers: Record<string, Uint8Array> = {};
    for (let count = this.#number(); count > 0; count--) {
      const name = this.#blob()!.toString();
      const content = this.#blob() ?? nothing;
      // The first of each name counts.
      headers[name] ??= content;
    }
    return {offset, key, value, headers, timestamp: appended ?? timestamp};
  }

  #blob(): Buffer | undefined {
    const length = this.#number();
    if (length < 0) return undefined;
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Seven bits a byte, the lowest first; odd ones are negative. Exact up to 2^53. */
  #number(): number {
    let number = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++]!;
      number += (byte & 0x7f) * factor;
      if (byte < 0x80) return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
    }
  }
}
