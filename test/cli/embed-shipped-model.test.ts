import {mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {readModelDirectory} from '../../model/index.ts';
import {shippedModel} from '../../model/shipped-model.ts';
import {parseResults} from './parse-results.ts';
import {runCommand} from './run-command.ts';

const cwd = await mkdtemp(join(tmpdir(), 'palimpsest-'));

test.after.always(() => rm(cwd, {recursive: true}));

test('embed reads with the model that comes with the package, which is trained, unless another is named', async t => {
  const book = await readFile(
    fileURLToPath(new URL('../../../examples/data/frankenstein.txt', import.meta.url)),
    'utf8',
  );
  await writeFile(join(cwd, 'book.txt'), book.slice(0, 20_000));
  const {code, stdout, stderr} = await runCommand(['embed', '--every', 'document', 'book.txt'], {cwd});
  t.is(code, 0, stderr);
  t.notRegex(stderr, /untrained/);
  const [result] = parseResults(stdout);
  t.like(result, {model: {name: 'base', fingerprint: (await readModelDirectory(shippedModel)).fingerprint}});
  // A book that it was not trained on, which general compressors leave above 2 bits per byte.
  t.true(result!.bitsPerByte < 1.6, `${result!.bitsPerByte} bits per byte`);
});

test('The model that comes with the package takes 25 MB at most', async t => {
  const sizes = (await readdir(shippedModel)).map(async name => (await stat(join(shippedModel, name))).size);
  t.true((await Promise.all(sizes)).reduce((all, size) => all + size) <= 25e6);
});
