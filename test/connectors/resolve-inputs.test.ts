import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {resolveInputs} from '../../connectors/resolve-inputs.ts';
import {SourceError} from '../../errors.ts';
import {temporaryFolder} from './temporary-folder.ts';

function tree(t: ExecutionContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'deep/er'), {recursive: true});
  for (const name of ['b.txt', 'a.txt', 'c.log', '[x].txt', 'deep/d.txt', 'deep/er/e.txt', 'deep/.hidden.txt']) {
    writeFileSync(join(folder, name), name);
  }
  symlinkSync('a.txt', join(folder, 'link.txt'));
  return folder;
}

test('resolveInputs() leaves existing paths and standard input as given and in order', async t => {
  const folder = tree(t);
  const inputs = [relative('.', join(folder, 'b.txt')), '-', `${folder}/./a.txt`];
  t.deepEqual(await resolveInputs(inputs), inputs);
});

test('resolveInputs() gives the matches of a pattern sorted, absolute if the pattern is', async t => {
  const folder = tree(t);
  const matches = ['a.txt', 'b.txt', 'deep/.hidden.txt', 'deep/d.txt', 'deep/er/e.txt'];
  t.deepEqual(
    await resolveInputs([`${folder}/**/{a,b,d,e,.hidden}.txt`]),
    matches.map(name => join(folder, name)),
  );
  t.deepEqual(await resolveInputs([`${relative('.', folder)}/?.txt`]), [
    relative('.', join(folder, 'a.txt')),
    relative('.', join(folder, 'b.txt')),
  ]);
});

test('resolveInputs() counts a file once, under its first name', async t => {
  const folder = tree(t);
  t.deepEqual(await resolveInputs([`${folder}/b.txt`, `${folder}/?.txt`, `${folder}/link.txt`, '-', '-']), [
    `${folder}/b.txt`,
    `${folder}/a.txt`,
    '-',
  ]);
});

test('resolveInputs() takes an existing file whose name looks like a pattern for that file', async t => {
  const folder = tree(t);
  t.deepEqual(await resolveInputs([`${folder}/[x].txt`]), [`${folder}/[x].txt`]);
});

test('resolveInputs() says what to write instead of a path that cannot be read', async t => {
  const folder = tree(t);
  for (const [pattern, message] of [
    [`${folder}/missing.txt`, `Cannot read "${folder}/missing.txt" as it does not exist`],
    [
      `${folder}/deep/`,
      `Cannot read "${folder}/deep/" as it is a directory: give its files instead, for example "${folder}/deep/**/*.txt"`,
    ],
    [
      `${folder}/*.md`,
      `Cannot read "${folder}/*.md" as it matches no file: use "*" for any name and "**" for folders at any depth, for example "texts/**/*.txt"`,
    ],
  ] as const) {
    const error = await t.throwsAsync(resolveInputs([`${folder}/a.txt`, pattern]), {instanceOf: SourceError});
    t.is(error?.message, message);
  }
});
