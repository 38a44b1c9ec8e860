import {createRequire} from 'node:module';
import test from 'ava';
import {compressionType} from '../../../connectors/kafka/compression.ts';
import {encodeRecordBatch, type RecordToWrite} from '../../../connectors/kafka/encode-record-batch.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

// What kafkajs writes is an account of the format that is not this project's.
const load = createRequire(import.meta.url);
const {RecordBatch} = load('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(fields: object): Promise<{buffer: Buffer}>;
};
const kafkajsRecord = load('kafkajs/src/protocol/recordBatch/record/v0') as (fields: object) => unknown;
const Long = load('kafkajs/src/utils/long') as {fromValue(value: string): unknown};

const random = seededRandom(7);
const below = (limit: number) => Math.floor(random() * limit);
const bytes = (length: number) => Buffer.from(Array.from({length}, () => below(256)));

function randomRecord(): RecordToWrite {
  return {
    key: below(2) === 0 ? `schlüssel ${below(1e6)}` : bytes(below(200)),
    value: below(5) === 0 ? null : bytes(below(3) === 0 ? below(70_000) : below(300)),
    headers: Object.fromEntries(Array.from({length: below(3)}, (_, i) => [`name ${i}`, '☃'.repeat(below(80))])),
    // Within seconds, and years apart.
    timestamp: String(1_700_000_000_000 + below(2) * below(1e5) + below(2) * below(1e11)),
  };
}

for (const compression of ['none', 'gzip'] as const) {
  test(`encodeRecordBatch writes what kafkajs does, byte for byte (compression ${compression})`, async t => {
    for (let round = 0; round < 40; round++) {
      const records = Array.from({length: 1 + below(150)}, randomRecord);
      const timestamps = records.map(({timestamp}) => Number(timestamp));
      const fields = {
        compression: compressionType(compression),
        transactional: below(2) === 0,
        producerEpoch: below(30_000),
      };
      const [producerId, firstSequence] = [String(2n ** 53n + BigInt(below(1e9))), below(2 ** 31)];
      const firstTimestamp = Math.min(...timestamps);
      const expected = await RecordBatch({
        ...fields,
        records: records.map((record, offsetDelta) =>
          kafkajsRecord({...record, offsetDelta, timestampDelta: timestamps[offsetDelta]! - firstTimestamp}),
        ),
        firstTimestamp,
        maxTimestamp: Math.max(...timestamps),
        lastOffsetDelta: records.length - 1,
        producerId: Long.fromValue(producerId),
        firstSequence,
      });
      const actual = await encodeRecordBatch({...fields, records, producerId: BigInt(producerId), firstSequence});
      t.true(actual.equals(expected.buffer), `round ${round}`);
    }
  });
}
