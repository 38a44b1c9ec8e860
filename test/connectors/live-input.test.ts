import {PassThrough} from 'node:stream';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {FileSource, type FileSourceOptions} from '../../connectors/file-source.ts';
import {Checkpoint} from '../../pipeline/checkpoint.ts';

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
