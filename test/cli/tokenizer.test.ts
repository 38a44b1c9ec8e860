import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {HuggingFaceTokenizer} from '../../model/index.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

test('palimpsest tokenizer train writes a tokenizer of plain and compressed files alike, the text between markers only', async t => {
  const cwd = await folderOf(t);
  const text = sampleText(20_000, 1);
  await writeFile(join(cwd, 'plain.txt'), text);
  await writeFile(
    join(cwd, 'book.txt.gz'),
    gzipSync(`qqqqqqqqqq\n*** START OF A BOOK ***\n${text}\n*** END OF A BOOK ***\nqqqqq`),
  );
  const options = ['--vocabulary', '320', '--gutenberg'];
  const plain = await runCommand(['tokenizer', 'train', '--data', 'plain.txt', ...options, '-o', 'a.json'], {cwd});
  t.is(plain.code, 0, plain.stderr);
  t.regex(plain.stderr, /Trained 320 tokens on 1 document of 0\.0 MB in [\d.]+ s: a\.json/);
  const book = await runCommand(['tokenizer', 'train', '--data', '*.gz', ...options, '-o', 'b.json', '--quiet'], {cwd});
  t.is(book.code, 0, book.stderr);
  t.is(book.stderr, '');
  t.is((await HuggingFaceTokenizer.open(join(cwd, 'a.json'))).vocabularySize, 320);
  t.is(await readFile(join(cwd, 'a.json'), 'utf8'), await readFile(join(cwd, 'b.json'), 'utf8'));
});

test('palimpsest tokenizer train leaves a file that is there, unless told otherwise', async t => {
  const cwd = await folderOf(t);
  await writeFile(join(cwd, 'text.txt'), sampleText(5000, 2));
  await writeFile(join(cwd, 'tokenizer.json'), 'mine');
  const args = ['tokenizer', 'train', '--data', 'text.txt', '--vocabulary', '300'];
  const refused = await runCommand(args, {cwd});
  t.is(refused.code, 1);
  t.regex(refused.stderr, /Cannot write "tokenizer\.json" as there must be no such file yet: add --force/);
  t.is(await readFile(join(cwd, 'tokenizer.json'), 'utf8'), 'mine');
  t.is((await runCommand([...args, '--force'], {cwd})).code, 0);
  t.is((await HuggingFaceTokenizer.open(join(cwd, 'tokenizer.json'))).vocabularySize, 300);
});

test('palimpsest tokenizer train refuses files that give no tokenizer, and writes nothing', async t => {
  const cwd = await folderOf(t);
  await writeFile(join(cwd, 'empty.txt'), '');
  await writeFile(join(cwd, 'binary.txt'), Buffer.from([1, 0, 2, 0, 0, 3]));
  await writeFile(join(cwd, 'small.txt'), 'small');
  for (const [data, code, message] of [
    ['empty.txt', 1, /it is empty/],
    ['binary.txt', 1, /binary\.txt/],
    ['small.txt', 1, /current text gives 256; use more text/],
    ['none-*.txt', 1, /matches no file/],
    ['-', 2, /standard input/],
  ] as const) {
    const result = await runCommand(['tokenizer', 'train', '--data', data], {cwd});
    t.is(result.code, code, result.stderr);
    t.regex(result.stderr, message);
    await t.throwsAsync(readFile(join(cwd, 'tokenizer.json')), {code: 'ENOENT'});
  }
});
