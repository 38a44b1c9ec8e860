import {execFileSync, spawn} from 'node:child_process';
import {join} from 'node:path';
import {PassThrough} from 'node:stream';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {FileSource, type FileSourceOptions} from '../../connectors/file-source.ts';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import {temporaryFolder} from './temporary-folder.ts';

type Split = NonNullable<FileSourceOptions['split']>;

/** Reads a pipe that stays open after `written`, and gives what comes of it without more, then what comes after its end. */
async function readPipe(
  t: ExecutionContext,
  split: Split,
  written: string,
): Promise<{before: string[]; after: string[]}> {
  const stream = new PassThrough();
  const source = new FileSource({inputs: ['-'], split, stdin: {stream}});
  const reader = source.open().getReader();
  t.teardown(() => reader.cancel());
  const texts: string[] = [];
  const reading = (async () => {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      if (!(value instanceof Checkpoint)) texts.push(Buffer.from(value.value.content).toString());
    }
  })();
  stream.write(written);
  await setTimeout(200);
  const before = texts.splice(0);
  stream.end('end');
  await reading;
  return {before, after: texts};
}

test('FileSource gives a chunk of a pipe before it is full', async t => {
  const {before, after} = await readPipe(t, 'chunks', 'one\ntwo');
  t.is(before.join(''), 'one\ntw');
  t.is(after.join(''), 'oend');
});

test('FileSource gives whole lines of a pipe when they have come', async t => {
  const {before, after} = await readPipe(t, 'whole-lines', 'one\ntwo\nthr');
  t.is(before.join(''), 'one\ntwo\n');
  t.is(after.join(''), 'thrend');
});

/** Opens a named pipe and gives what comes of it, in the end the name of an error. */
function readNamedPipe(t: ExecutionContext) {
  const path = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const controller = new AbortController();
  const texts: string[] = [];
  const reading = (async () => {
    const source = new FileSource({inputs: [path], split: 'lines'});
    try {
      for await (const element of source.open({signal: controller.signal})) {
        if (!(element instanceof Checkpoint)) texts.push(Buffer.from(element.value.content).toString());
      }
    } catch (error) {
      texts.push((error as Error).message);
    }
  })();
  return {path, texts, reading, abort: () => controller.abort(new Error('stopped'))};
}

test('FileSource reads a named pipe to its end, whenever its writer comes', async t => {
  const {path, texts, reading} = readNamedPipe(t);
  await setTimeout(100);
  const {stdin} = spawn('sh', ['-c', 'exec cat > "$1"', 'sh', path], {stdio: ['pipe', 'ignore', 'inherit']});
  stdin.write('one\ntwo\n');
  await setTimeout(100);
  stdin.end('three\n');
  await reading;
  t.deepEqual(texts, ['one', 'two', 'three']);
});

test('FileSource leaves a named pipe that nobody opens for writing, and one that is silent', async t => {
  const unopened = readNamedPipe(t);
  const silent = readNamedPipe(t);
  const writer = spawn('sh', ['-c', 'exec sleep 60 > "$1"', 'sh', silent.path], {stdio: 'ignore'});
  await setTimeout(300);
  for (const {abort, reading, texts} of [unopened, silent]) {
    abort();
    await reading;
    t.deepEqual(texts, ['stopped']);
  }
  writer.kill();
});
