import {existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import {TransformStream} from 'node:stream/web';
import test from 'ava';
import {FileSink} from '../../connectors/file-sink.ts';
import {SinkError} from '../../errors.ts';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Operator} from '../../pipeline/operator.ts';
import {Pipeline} from '../../pipeline/pipeline.ts';
import type {Progress} from '../../pipeline/progress.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {FAIL, SequenceSource} from '../driver/sequence-source.ts';
import {testRecords} from '../driver/test-records.ts';
import {openFiles} from './open-files.ts';
import {temporaryFolder} from './temporary-folder.ts';

function records(...texts: string[]): StreamRecord<Uint8Array>[] {
  return testRecords(texts.map(text => Buffer.from(text)));
}

function outputs(path: string, length: bigint): Progress {
  return {partitions: new Map(), outputs: new Map([[`file:${path}`, length]])};
}

test('FileSink writes the bytes of its records as they are', async t => {
  const path = join(temporaryFolder(t), 'out');
  const [first] = testRecords([Uint8Array.of(0, 255, 10)]) as [StreamRecord<Uint8Array>];
  await Pipeline.from(new SequenceSource([first, ...records('a', '', 'b\n')])).to(new FileSink(path));
  t.deepEqual(readFileSync(path), Buffer.from([0, 255, 10, 97, 98, 10]));
});

test('FileSink begins a file anew without progress, or with progress that does not know it', async t => {
  const path = join(temporaryFolder(t), 'out');
  for (const options of [{}, {progress: outputs('/elsewhere', 3n)}]) {
    writeFileSync(path, 'something longer');
    await Pipeline.from(new SequenceSource(records('new'))).to(new FileSink(path), options);
    t.is(readFileSync(path, 'utf8'), 'new');
  }
});

test('FileSink cuts a file back to what was durable and goes on there', async t => {
  const path = join(temporaryFolder(t), 'out');
  writeFileSync(path, 'durable, and not');
  const sink = new FileSink(relative('.', path));
  await Pipeline.from(new SequenceSource(records(' and new'))).to(sink, {progress: outputs(path, 7n)});
  t.is(readFileSync(path, 'utf8'), 'durable and new');
});

test('FileSink goes on in a file that is now named by a path through a link', async t => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  let committed: Progress | undefined;
  const writer = new FileSink(join(folder, 'real/out')).open().getWriter();
  await writer.write(records('durable')[0]!);
  const checkpoint = new Checkpoint(new Map());
  checkpoint.onCommit(async progress => {
    committed = progress;
  });
  await writer.write(checkpoint);
  await writer.close();
  const sink = new FileSink(join(folder, 'link/out'));
  await Pipeline.from(new SequenceSource(records(' and new'))).to(sink, {progress: committed!});
  t.is(readFileSync(join(folder, 'real/out'), 'utf8'), 'durable and new');
});

for (const [how, change] of [
  ['it was removed', rmSync],
  ['it holds 0 bytes in place of 7', path => writeFileSync(path, '')],
  ['it holds 9 bytes in place of 7', path => writeFileSync(path, 'of others')],
] as [string, (path: string) => void][]) {
  test(`FileSink commits nothing when its file was changed: ${how}`, async t => {
    const path = join(temporaryFolder(t), 'out');
    const writer = new FileSink(path).open().getWriter();
    await writer.write(records('written')[0]!);
    await writer.write(new Checkpoint(new Map()));
    change(path);
    const checkpoint = new Checkpoint(new Map());
    checkpoint.onCommit(async () => t.fail());
    await t.throwsAsync(writer.write(checkpoint), {
      instanceOf: SinkError,
      message: new RegExp(`nothing else may change it meanwhile: ${how}`),
    });
  });
}

test('FileSink makes everything before a barrier durable, then commits with its length', async t => {
  const path = join(temporaryFolder(t), 'out');
  writeFileSync(path, '12345');
  const writer = new FileSink(path).open({progress: outputs(path, 2n)}).getWriter();
  const commits: [Progress, string][] = [];
  for (const record of records('ab', 'c'.repeat(100_000), 'd')) {
    await writer.write(record);
    const checkpoint = new Checkpoint(new Map());
    checkpoint.onCommit(async progress => {
      commits.push([progress, readFileSync(path, 'utf8')]);
    });
    await writer.write(checkpoint);
  }
  await writer.close();
  t.deepEqual(
    commits.map(([progress, content]) => [[...progress.outputs], content.length]),
    [4, 100_004, 100_005].map(length => [[[`file:${path}`, BigInt(length)]], length]),
  );
  t.is(readFileSync(path, 'utf8'), `12ab${'c'.repeat(100_000)}d`);
});

test('FileSink writes a file that equals the uninterrupted one when a run goes on', async t => {
  const folder = temporaryFolder(t);
  const all = records('one\n', 'two\n', 'three\n', 'four\n');
  const path = join(folder, 'out');
  const error = new Error('interrupted');
  const source = new SequenceSource([all[0]!, {sentinel: 'checkpoint'}, all[1]!, all[2]!, FAIL(error), all[3]!]);
  let progress: Progress = {partitions: new Map(), outputs: new Map()};
  const pipeline = Pipeline.from(source).through<Uint8Array>(
    () =>
      new TransformStream({
        transform(element, controller) {
          if (element instanceof Checkpoint) {
            element.onCommit(async committed => {
              progress = committed;
            });
          }
          controller.enqueue(element);
        },
      }),
  );
  t.is(await t.throwsAsync(pipeline.to(new FileSink(path))), error);
  await pipeline.to(new FileSink(path), {progress});
  t.is(readFileSync(path, 'utf8'), 'one\ntwo\nthree\nfour\n');
});

test('FileSink keeps only whole records of an aborted run', async t => {
  const path = join(temporaryFolder(t), 'out');
  const text = `${'x'.repeat(9_999)}\n`;
  const source = new SequenceSource([...records(...Array<string>(20).fill(text)), FAIL(new Error('enough'))]);
  await t.throwsAsync(Pipeline.from(source).to(new FileSink(path)), {message: 'enough'});
  t.is(readFileSync(path).length % 10_000, 0);
});

test('FileSink says what keeps it from writing', async t => {
  const folder = temporaryFolder(t);
  const missing = join(folder, 'missing/out');
  const gone = join(folder, 'gone');
  const short = join(folder, 'short');
  writeFileSync(short, 'ab');
  mkdirSync(join(folder, 'folder'));
  for (const [path, message, progress] of [
    [missing, `Cannot write "${missing}" as its folder does not exist`],
    [join(folder, 'folder'), `Cannot write "${join(folder, 'folder')}" as it is a directory`],
    [
      short,
      `Cannot go on writing "${short}" at byte 3 as it holds only 2 bytes: it was cut or replaced`,
      outputs(short, 3n),
    ],
    [
      gone,
      `Cannot go on writing "${gone}" at byte 1 as it holds only 0 bytes: it was cut or replaced`,
      outputs(gone, 1n),
    ],
  ] as const) {
    const run = Pipeline.from(new SequenceSource(records('a'))).to(new FileSink(path), progress && {progress});
    const error = await t.throwsAsync(run, {instanceOf: SinkError});
    t.is(error?.message, message);
  }
  t.false(existsSync(gone));
  t.is(readFileSync(short, 'utf8'), 'ab');
});

test('FileSink says when the device is full', async t => {
  for (const text of ['short', 'x'.repeat(100_000)]) {
    const run = Pipeline.from(new SequenceSource(records(text))).to(new FileSink('/dev/full'));
    const error = await t.throwsAsync(run, {instanceOf: SinkError});
    t.is(error?.message, 'Cannot write "/dev/full" as no space is left on the device');
    t.like(error?.cause, {code: 'ENOSPC'});
  }
});

test('FileSink closes its file when the run ends, fails or is aborted, and when a commit fails', async t => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'out');
  const [a, b] = records('a', 'b') as [StreamRecord<Uint8Array>, StreamRecord<Uint8Array>];
  const failingCommit: Operator<Uint8Array, Uint8Array> = () =>
    new TransformStream({
      transform(element, controller) {
        if (element instanceof Checkpoint) element.onCommit(() => Promise.reject(new Error('no commit')));
        controller.enqueue(element);
      },
    });
  await Pipeline.from(new SequenceSource([a, b])).to(new FileSink(path));
  t.deepEqual(openFiles(folder), []);
  await t.throwsAsync(Pipeline.from(new SequenceSource([a, FAIL(new Error('x')), b])).to(new FileSink(path)));
  t.deepEqual(openFiles(folder), []);
  await t.throwsAsync(
    Pipeline.from(new SequenceSource([a]))
      .through(failingCommit)
      .to(new FileSink(path)),
    {
      message: 'no commit',
    },
  );
  t.deepEqual(openFiles(folder), []);
});

test('FileSink closes its file when it is disposed of', async t => {
  const folder = temporaryFolder(t);
  const sink = new FileSink(join(folder, 'out'));
  await sink.open().getWriter().write(records('a')[0]);
  t.deepEqual(openFiles(folder), ['out']);
  await sink[Symbol.asyncDispose]();
  t.deepEqual(openFiles(folder), []);
});

test('FileSink does not name an output that cannot be cut back', async t => {
  const writer = new FileSink('/dev/null').open().getWriter();
  const checkpoint = new Checkpoint(new Map());
  let committed: Progress | undefined;
  checkpoint.onCommit(async progress => {
    committed = progress;
  });
  await writer.write(checkpoint);
  t.deepEqual(committed?.outputs, new Map());
  await writer.close();
});

test('FileSink refuses an empty path', t => {
  t.throws(() => new FileSink(''), {
    instanceOf: TypeError,
    message: 'Cannot write to a file as its path must not be empty: current value is ""',
  });
});
