import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {writeFileAtomically} from '../../../model/weights/write-file-atomically.ts';

test('writeFileAtomically leaves what was there when a piece fails, and no other file', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const path = join(folder, 'x');
  await writeFile(path, 'before');
  function* pieces(): Generator<Uint8Array> {
    yield Buffer.from('half');
    throw new Error('no more');
  }
  await t.throwsAsync(writeFileAtomically(path, pieces()), {message: 'no more'});
  t.is(await readFile(path, 'utf8'), 'before');
  t.deepEqual(await readdir(folder), ['x']);
  t.is(await writeFileAtomically(path, [Buffer.from('af'), Buffer.from('ter')]), 5);
  t.is(await readFile(path, 'utf8'), 'after');
  t.deepEqual(await readdir(folder), ['x']);
});
