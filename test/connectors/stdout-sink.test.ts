import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {PassThrough, Writable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {StdoutSink} from '../../connectors/stdout-sink.ts';
import {SinkError} from '../../errors.ts';
import {Pipeline} from '../../pipeline/pipeline.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {CHECKPOINT, SequenceSource} from '../driver/sequence-source.ts';
import {testRecords} from '../driver/test-records.ts';

function records(...texts: string[]): StreamRecord<Uint8Array>[] {
  return testRecords(texts.map(value => Buffer.from(value)));
}

test('StdoutSink writes the bytes of its records and leaves the stream open', async t => {
  const stream = new PassThrough();
  const [a, b] = records('a', 'b\n') as [StreamRecord<Uint8Array>, StreamRecord<Uint8Array>];
  await Pipeline.from(new SequenceSource([a, CHECKPOINT, b])).to(new StdoutSink({stream}));
  t.false(stream.writableEnded);
  t.is(stream.listenerCount('error'), 0);
  stream.end();
  t.is(await text(stream), 'ab\n');
});

test('StdoutSink takes no more than one record while its reader is slow', async t => {
  const taken: (() => void)[] = [];
  const stream = new Writable({write: (_chunk, _encoding, callback) => void taken.push(callback)});
  const source = new SequenceSource(records('a', 'b', 'c', 'd'));
  const run = Pipeline.from(source).to(new StdoutSink({stream}));
  await delay(10);
  t.is(source.emitted, 1);
  for (let index = 0; index < 4; index++) {
    t.is(taken.length, index + 1);
    taken[index]!();
    await delay(5);
  }
  await run;
});

test('StdoutSink stops waiting for a slow reader when the run is aborted', async t => {
  const stream = new Writable({write: () => {}});
  const controller = new AbortController();
  const run = Pipeline.from(new SequenceSource(records('a', 'b'))).to(new StdoutSink({stream}), {
    signal: controller.signal,
    graceMs: 60_000,
  });
  await delay(10);
  const reason = new Error('enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(run), reason);
  // What the stream reports afterwards ends nobody's process.
  stream.destroy(new Error('too late'));
  await delay(5);
});

test('StdoutSink fails with the error of its stream', async t => {
  const cause = Object.assign(new Error('write EPIPE'), {code: 'EPIPE'});
  for (const stream of [
    new Writable({write: (_chunk, _encoding, callback) => callback(cause)}),
    new Writable().destroy(cause).on('error', () => {}),
  ]) {
    const run = Pipeline.from(new SequenceSource(records('a', 'b'))).to(new StdoutSink({stream}));
    const error = await t.throwsAsync(run, {instanceOf: SinkError});
    t.is(error?.message, 'Cannot write "standard output" as its reader has gone');
    t.is(error?.cause, cause);
  }
});

const sinkUrl = new URL('../../connectors/stdout-sink.js', import.meta.url);
const program = `
  import {StdoutSink} from ${JSON.stringify(sinkUrl)};
  const writer = new StdoutSink().open().getWriter();
  writer.closed.catch(() => {});
  const value = Buffer.alloc(50_000, 'x');
  try {
    for (let index = 0; index < 1000; index++) await writer.write({key: '', value, position: {partition: '', offset: 0n}});
    await writer.close();
  } catch (error) {
    console.error(error.name, error.cause.code);
  }
`;

test('StdoutSink fails with EPIPE, and nothing else, when the reader of the process goes', async t => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  t.is(errors, 'SinkError EPIPE\n');
  t.is(code, 0);
});

test('StdoutSink writes everything before the process ends', async t => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let bytes = 0;
  for await (const piece of child.stdout) bytes += (piece as Buffer).length;
  t.is(bytes, 50_000_000);
});
