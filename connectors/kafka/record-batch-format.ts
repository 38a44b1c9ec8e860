/** Where things lie in a batch of format 2; kafka.apache.org/documentation/#recordbatch */
export const recordBatchFormat = {
  length: 8,
  format: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  count: 57,
  records: 61,
  /** What is before the length, and the length. */
  prefixBytes: 12,
  /** Bits of the attributes. */
  compression: 0x7,
  logAppendTime: 0x8,
  transactional: 0x10,
  control: 0x20,
} as const;
