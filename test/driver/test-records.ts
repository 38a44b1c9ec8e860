import type {StreamRecord} from '../../pipeline/stream-record.ts';

export type TestRecordsOptions = {
  /** @default 'document' */
  readonly key?: string;
  /** @default 'test' */
  readonly partition?: string;
  /** Offset of the first record. @default 0n */
  readonly offset?: bigint;
  /** @default 0 */
  readonly timestamp?: number;
};

/** Records that carry `values`, one offset after the other. */
export function testRecords<T>(
  values: Iterable<T>,
  {key = 'document', partition = 'test', offset = 0n, timestamp = 0}: TestRecordsOptions = {},
): StreamRecord<T>[] {
  return Array.from(values, (value, index) => ({
    key,
    value,
    position: {partition, offset: offset + BigInt(index)},
    timestamp,
  }));
}
