import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {writeRandomWords} from '../../bench/write-random-words.ts';

test('writeRandomWords writes as many bytes of letters and spaces, the same each time', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const [once, again] = [join(folder, 'once'), join(folder, 'again')];
  await writeRandomWords(once, 150_001);
  await writeRandomWords(again, 150_001);
  const text = await readFile(once, 'utf8');
  t.is(text.length, 150_001);
  t.regex(text, /^[a-z ]+$/);
  t.is(new Set(text).size, 27);
  t.is(await readFile(again, 'utf8'), text);
});
