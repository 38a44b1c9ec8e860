import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {DeadLetterFile} from '../../connectors/dead-letter-file.ts';
import {DecodeError, SinkError} from '../../errors.ts';
import type {DeadLetter} from '../../pipeline/dead-letters.ts';
import type {Progress} from '../../pipeline/progress.ts';
import {temporaryFolder} from './temporary-folder.ts';

function letter(content: string | Uint8Array, offset = 7n): DeadLetter {
  return {
    key: 'k',
    position: {partition: 'file:/in', offset},
    timestamp: 5,
    content: Buffer.from(content as string),
    error: new DecodeError('Cannot parse'),
  };
}

function outputs(path: string, length: number): Progress {
  return {partitions: new Map(), outputs: new Map([[`file:${path}`, BigInt(length)]])};
}

test('DeadLetterFile writes one JSON object a line', async t => {
  const path = join(temporaryFolder(t), 'dead');
  const letters = new DeadLetterFile(path);
  await Promise.all([letters.add(letter('{"a": \n"é')), letters.add(letter(Uint8Array.of(255, 0), 2n ** 60n))]);
  await letters[Symbol.asyncDispose]();
  await letters[Symbol.asyncDispose]();
  const common = {partition: 'file:/in', key: 'k', timestamp: 5, error: 'DecodeError', message: 'Cannot parse'};
  const lines = readFileSync(path, 'utf8').split('\n');
  t.is(lines.pop(), '');
  t.deepEqual(
    lines.map(line => JSON.parse(line)),
    [
      {...common, offset: '7', content: '{"a": \n"é'},
      {...common, offset: '1152921504606846976', contentBase64: '/wA='},
    ],
  );
});

test('DeadLetterFile keeps a byte order mark of the content', async t => {
  const path = join(temporaryFolder(t), 'dead');
  {
    await using letters = new DeadLetterFile(path);
    await letters.add(letter('\ufeffa'));
  }
  t.is(JSON.parse(readFileSync(path, 'utf8')).content, '\ufeffa');
});

test('DeadLetterFile makes no file before the first letter, but names its length', async t => {
  const path = join(temporaryFolder(t), 'dead');
  await using letters = new DeadLetterFile(path);
  t.deepEqual(await letters.flush(), [`file:${path}`, 0n]);
  t.false(existsSync(path));
  await letters.add(letter('a'));
  const [, length] = (await letters.flush()) ?? [];
  t.is(length, BigInt(readFileSync(path).length));
  t.true(length! > 0n);
});

test('DeadLetterFile cuts its file back to what was durable, with or without new letters', async t => {
  const path = join(temporaryFolder(t), 'dead');
  writeFileSync(path, '{}\n{"not": "durable"}\n');
  {
    await using letters = new DeadLetterFile(path, {progress: outputs(path, 3)});
    t.deepEqual(await letters.flush(), [`file:${path}`, 3n]);
  }
  t.is(readFileSync(path, 'utf8'), '{}\n');
  writeFileSync(path, '{}\n{"not": "durable"}\n');
  {
    await using letters = new DeadLetterFile(path, {progress: outputs(path, 3)});
    await letters.add(letter('a'));
  }
  t.regex(readFileSync(path, 'utf8'), /^\{\}\n\{"partition".*\}\n$/);
});

test('DeadLetterFile empties the file of an earlier run, with or without new letters', async t => {
  const path = join(temporaryFolder(t), 'dead');
  writeFileSync(path, 'old\n');
  {
    await using letters = new DeadLetterFile(path);
    t.deepEqual(await letters.flush(), [`file:${path}`, 0n]);
  }
  t.is(readFileSync(path, 'utf8'), '');
  writeFileSync(path, 'old\n');
  {
    await using letters = new DeadLetterFile(path);
    await letters.add(letter('a'));
  }
  t.regex(readFileSync(path, 'utf8'), /^\{"partition".*\}\n$/);
});

test('DeadLetterFile fails when its file was cut, removed, or cannot be written', async t => {
  const path = join(temporaryFolder(t), 'dead');
  const cut = new DeadLetterFile(path, {progress: outputs(path, 3)});
  const message = `Cannot go on writing "${path}" at byte 3 as it holds only 0 bytes: it was cut or replaced`;
  await t.throwsAsync(cut.flush(), {instanceOf: SinkError, message});
  await t.throwsAsync(cut.add(letter('a')), {instanceOf: SinkError, message});
  const full = new DeadLetterFile('/dev/full');
  await full.add(letter('a'));
  const noSpace = {instanceOf: SinkError, message: 'Cannot write "/dev/full" as no space is left on the device'};
  await t.throwsAsync(full.flush(), noSpace);
  await full[Symbol.asyncDispose]();
});

test('DeadLetterFile refuses an empty path', t => {
  t.throws(() => new DeadLetterFile(''), {
    instanceOf: TypeError,
    message: 'Cannot keep dead letters as path must not be empty: current value is ""',
  });
});
