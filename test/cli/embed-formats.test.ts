import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {parseResults, type Result} from './parse-results.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
let stores = 0;

test.before(async t => {
  const {code} = await runCommand(['init', 'model', '--preset', 'tiny', '--name', 'keeper'], {cwd});
  t.is(code, 0);
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

async function embed(
  t: ExecutionContext,
  args: readonly string[],
  {input = '', stderr = /^Model "keeper" is untrained.*\n$/}: {input?: string; stderr?: RegExp} = {},
): Promise<Result[]> {
  const store = `store ${stores++}`;
  const result = await runCommand(['embed', '-qm', 'model', '--engine', 'wasm', '-s', store, ...args], {cwd, input});
  t.is(result.code, 0, result.stderr);
  t.regex(result.stderr, stderr);
  return parseResults(result.stdout);
}

/** Documents of one batch end in the order of their lengths. */
function byId(results: readonly Result[]): Result[] {
  return [...results].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Everything but the id. */
function content({id: _, ...rest}: Result): Omit<Result, 'id'> {
  return rest;
}

test.serial('embed reads files, gzip, patterns and standard input as texts', async t => {
  const first = sampleText(1000, 1);
  const second = sampleText(333, 2);
  mkdirSync(join(cwd, 'texts/deep'), {recursive: true});
  writeFileSync(join(cwd, 'texts/b.txt'), first);
  writeFileSync(join(cwd, 'texts/a.gz'), gzipSync(first));
  writeFileSync(join(cwd, 'texts/deep/c.txt'), `\ufeff${second}`);
  const results = await embed(t, ['-', 'texts/b.txt', 'texts/**/*'], {input: second});

  const [stdin, plain, packed, deep] = ['-', 'texts/b.txt', 'texts/a.gz', 'texts/deep/c.txt'].map(id =>
    results.find(result => result.id === id),
  ) as [Result, Result, Result, Result];
  t.is(results.length, 4);
  t.deepEqual(Object.keys(plain), [
    'id',
    'embedding',
    'dimension',
    'tokens',
    'segments',
    'bitsPerByte',
    'final',
    'model',
  ]);
  t.deepEqual(Object.keys(plain.model), ['name', 'fingerprint']);
  t.is(plain.model.name, 'keeper');
  t.regex(plain.model.fingerprint, /^[0-9a-f]{16}$/);
  t.is(plain.dimension, 64);
  t.is(plain.embedding.length, 64);
  t.true(Math.abs(Math.hypot(...plain.embedding) - 1) < 1e-6);
  t.is(plain.tokens, 1000);
  t.is(plain.segments, Math.ceil(1000 / 32));
  t.true(plain.bitsPerByte > 5 && plain.bitsPerByte < 12, `${plain.bitsPerByte}`);
  t.true(plain.final);
  t.deepEqual(content(packed), content(plain));
  t.is(deep.tokens, 333);
  t.deepEqual(content(stdin), content(deep));
});

test.serial('embed reads logs by file, column and JSON field', async t => {
  const hosts = ['web-1', 'web-2', 'db'];
  const lines = Array.from({length: 30}, (_, n) => ({
    host: {name: hosts[n % 3]!},
    at: n,
    text: sampleText(40, n).replaceAll('\n', ' '),
  }));
  const columns = lines.map(({host, at, text}) => `${at} ${host.name} ${text}\n`);
  const objects = lines.map(line => `${JSON.stringify(line)}\n`);
  writeFileSync(join(cwd, 'columns.log'), columns.join(''));
  writeFileSync(join(cwd, 'objects.log'), objects.join(''));
  hosts.forEach((host, n) => {
    writeFileSync(join(cwd, `${host}.column`), columns.filter((_, at) => at % 3 === n).join(''));
    writeFileSync(join(cwd, `${host}.object`), objects.filter((_, at) => at % 3 === n).join(''));
  });

  const apart = await embed(t, ['--format', 'lines', ...hosts.flatMap(host => [`${host}.column`, `${host}.object`])]);
  const expected = new Map(apart.map(result => [result.id, content(result)]));
  const byColumn = await embed(t, ['--format', 'lines', '--id-field', '2', 'columns.log']);
  const byField = await embed(t, ['--format', 'lines', '--id-field', 'host.name', 'objects.log']);
  t.is(expected.get('db.column')!.tokens, Buffer.byteLength(columns.filter((_, at) => at % 3 === 2).join('')));
  t.deepEqual(byColumn.map(({id}) => id).sort(), [...hosts].sort());
  t.deepEqual(byField.map(({id}) => id).sort(), [...hosts].sort());
  for (const result of byColumn) t.deepEqual(content(result), expected.get(`${result.id}.column`), result.id);
  for (const result of byField) t.deepEqual(content(result), expected.get(`${result.id}.object`), result.id);
});

test.serial('embed keeps a long line of a log with its document', async t => {
  const long = sampleText(66_000, 5).replaceAll('\n', ' ');
  writeFileSync(join(cwd, 'long.log'), `a ${long}\nb short\n`);
  const results = byId(await embed(t, ['--format', 'lines', '--id-field', '1', 'long.log']));
  t.deepEqual(
    results.map(({id, tokens}) => [id, tokens > 66_000]),
    [
      ['a', true],
      ['b', false],
    ],
  );
});

test.serial('embed reads JSON Lines by id, with fields of any name', async t => {
  const pieces = Array.from({length: 5}, (_, n) => sampleText(50 + n, n));
  const ids = ['first', 'first', 'first', '2', 'last'];
  const plain = ids.map((id, n) => `${JSON.stringify({id: id === '2' ? 2 : id, text: pieces[n], other: true})}\n`);
  const named = ids.map((id, n) => `${JSON.stringify({doc: {key: id}, body: pieces[n]})}\n`);
  writeFileSync(join(cwd, 'plain.jsonl'), plain.join(''));
  writeFileSync(join(cwd, 'whole.txt'), pieces.slice(0, 3).join(''));
  const results = byId(await embed(t, ['--format', 'jsonl', 'plain.jsonl']));
  t.deepEqual(
    results.map(({id, tokens}) => [id, tokens]),
    [
      ['2', 53],
      ['first', 50 + 51 + 52],
      ['last', 54],
    ],
  );
  const [whole] = await embed(t, ['whole.txt']);
  t.deepEqual(content(results[1]!), content(whole!));
  const fields = ['--id-field', 'doc.key', '--text-field', 'body'];
  t.deepEqual(byId(await embed(t, ['--format', 'jsonl', ...fields, '-'], {input: named.join('')})), results);
});

test.serial('embed puts lines that cannot be decoded among the dead letters and goes on', async t => {
  const lines = [
    '{"id":"a","text":"one"}',
    '{"id":"a"',
    '{"text":"no id"}',
    '',
    '{"id":"a","text":7}',
    '{"id":"b","text":"two"}',
  ];
  writeFileSync(join(cwd, 'partly.jsonl'), lines.join('\n'));
  const args = ['--format', 'jsonl', '--dead-letters', 'letters.jsonl', 'partly.jsonl'];
  const results = await embed(t, args, {stderr: /Put 3 lines that could not be decoded into "letters.jsonl"\n$/});
  t.deepEqual(
    results.map(({id, tokens}) => [id, tokens]),
    [
      ['a', 3],
      ['b', 3],
    ],
  );
  const letters = readFileSync(join(cwd, 'letters.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  t.deepEqual(
    letters.map(({content}) => content),
    [lines[1], lines[2], lines[4]],
  );
  t.deepEqual(Object.keys(letters[0]), ['partition', 'offset', 'key', 'timestamp', 'error', 'message', 'content']);
  t.regex(letters[1].message, /its "id" is missing/);
});

test.serial('embed gives one result for each segment if asked', async t => {
  const text = sampleText(32 * 5 + 7, 3);
  const results = await embed(t, ['--every', 'segment', '-'], {input: text});
  t.deepEqual(
    results.map(({segments, tokens, final}) => [segments, tokens, final]),
    [
      [1, 32, false],
      [2, 64, false],
      [3, 96, false],
      [4, 128, false],
      [5, 160, false],
      [6, 167, false],
      [6, 167, true],
    ],
  );
  const [whole] = await embed(t, ['-'], {input: text});
  t.deepEqual(results.at(-1), whole);
});
