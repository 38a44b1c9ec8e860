import test from 'ava';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import {CollectSink} from './collect-sink.ts';
import {testRecords} from './test-records.ts';

test('CollectSink keeps records, and what barriers commit', async t => {
  const sink = new CollectSink<number>();
  const records = testRecords([1, 2]);
  const writer = sink.open().getWriter();
  const partitions = new Map([['test', {nextOffset: 2n, ended: true}]]);
  for (const element of [...records, new Checkpoint(partitions)]) await writer.write(element);
  t.deepEqual(sink.records, records);
  t.deepEqual(sink.values, [1, 2]);
  t.deepEqual(sink.commits, [{partitions, outputs: new Map([['collect', 2n]])}]);
  t.false(sink.closed);
  await writer.close();
  t.true(sink.closed);
});

test('CollectSink cuts back to progress when it is opened, or to nothing', async t => {
  const sink = new CollectSink<number>();
  const writer = sink.open().getWriter();
  for (const record of testRecords([1, 2, 3])) await writer.write(record);
  sink.open({progress: {partitions: new Map(), outputs: new Map([['collect', 2n]])}});
  t.deepEqual(sink.values, [1, 2]);
  sink.open();
  t.deepEqual(sink.values, []);
});

test('CollectSink fails at the write it is told to', async t => {
  const error = new Error('failed');
  const sink = new CollectSink<number>({fail: {write: 2, error}});
  const [first, second] = testRecords([1, 2]);
  const writer = sink.open().getWriter();
  writer.closed.catch(() => {});
  await writer.write(first);
  t.is(await t.throwsAsync(writer.write(second)), error);
  t.deepEqual(sink.values, [1]);
});

test('CollectSink holds writes while it is stalled', async t => {
  const sink = new CollectSink<number>();
  sink.stall();
  const writer = sink.open().getWriter();
  const writing = writer.write(testRecords([1])[0]);
  await new Promise(resolve => setTimeout(resolve, 10));
  t.is(sink.arrived, 1);
  t.deepEqual(sink.values, []);
  sink.release();
  await writing;
  t.deepEqual(sink.values, [1]);
});
