import test from 'ava';
import {encodeMemoryRecord} from '../../memory-store/encode-memory-record.ts';
import {encodeOnce} from '../../memory-store/encode-once.ts';
import {LentBuffers} from '../../memory-store/lent-buffers.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';

test.serial(
  'encodeOnce gives the bytes of encodeMemoryRecord, whatever its buffer held, and the same ones again',
  t => {
    for (const dtype of ['float32', 'float16'] as const) {
      const used = new LentBuffers();
      used.take(200_000).fill(0xff);
      used.giveBack();
      const buffers = new LentBuffers();
      const record = sampleMemoryRecord(3, {bytes: 160_000});
      const bytes = encodeOnce(record, {dtype, buffers});
      t.deepEqual(
        Buffer.from(bytes),
        Buffer.from(encodeMemoryRecord(sampleMemoryRecord(3, {bytes: 160_000}), {dtype})),
      );
      t.is(encodeOnce(record, {dtype, buffers: new LentBuffers()}), bytes);
      buffers.giveBack();
    }
  },
);

test.serial(
  'encodeMemoryRecord gives bytes of its own, while a record is in buffers that are lent and afterwards',
  t => {
    const record = sampleMemoryRecord(3, {bytes: 160_000});
    const expected = Buffer.from(encodeMemoryRecord(record));
    const buffers = new LentBuffers();
    const lent = encodeOnce(record, {dtype: 'float32', buffers});
    const before = encodeMemoryRecord(record);
    buffers.giveBack();
    lent.fill(0xff);
    t.deepEqual(Buffer.from(before), expected);
    t.deepEqual(Buffer.from(encodeMemoryRecord(record)), expected);
    t.deepEqual(Buffer.from(encodeOnce(record, {dtype: 'float32', buffers: new LentBuffers()})), expected);
  },
);
