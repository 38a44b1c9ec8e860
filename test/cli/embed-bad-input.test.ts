import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {exitCodes} from '../../cli/exit-codes.ts';
import {parseResults, type Result} from './parse-results.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {type CommandOptions, type CommandResult, startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
const program = ['embed', '-q', '-m', 'model', '--engine', 'wasm'];

test.before(async t => {
  t.is((await runCommand(['init', 'model', '--preset', 'tiny'], {cwd})).code, 0);
  writeFileSync(join(cwd, 'good.txt'), sampleText(100, 1));
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

type Expectation = {readonly code: number; readonly says: RegExp; readonly options?: Partial<CommandOptions>};

/** Runs a command that must end in this way, and not with a stack trace. */
async function ends(
  t: ExecutionContext,
  args: readonly string[],
  {code, says, options}: Expectation,
): Promise<CommandResult> {
  const result = await runCommand(args, {cwd, ...options});
  t.is(result.code, code, result.stderr);
  t.regex(result.stderr, says);
  t.notRegex(result.stderr, /^ {4}at /m);
  return result;
}

async function embed(t: ExecutionContext, args: readonly string[], expectation: Expectation): Promise<Result[]> {
  return parseResults((await ends(t, [...program, ...args], expectation)).stdout);
}

const {done, failed, wrongUse} = exitCodes;

test.serial('embed passes over documents without text', async t => {
  writeFileSync(join(cwd, 'empty.txt'), '');
  const says = /Passed over 1 document without text\n$/;
  t.deepEqual(await embed(t, ['-s', 'empty', '-'], {code: done, says}), []);
  const results = await embed(t, ['-s', 'empty', 'empty.txt', 'good.txt'], {code: done, says});
  t.deepEqual(
    results.map(({id}) => id),
    ['good.txt'],
  );
});

test.serial('embed names the input that it cannot read, and goes on once it is gone', async t => {
  mkdirSync(join(cwd, 'folder'));
  writeFileSync(join(cwd, 'picture'), Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01', 'latin1'));
  writeFileSync(join(cwd, 'broken.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]));
  const cases: [string, RegExp][] = [
    [
      'folder',
      /Cannot read "folder" as it is a directory: give its files instead, for example "folder\/\*\*\/\*\.txt"/,
    ],
    ['picture', /Cannot read "picture" as text as it looks like a binary file/],
    ['broken.gz', /Cannot read "broken\.gz" at offset 0 as its gzip content ends too early/],
    ['missing.txt', /Cannot read "missing\.txt" as it does not exist/],
    ['no*.txt', /Cannot read "no\*\.txt" as it matches no file/],
  ];
  for (const [input, says] of cases) t.deepEqual(await embed(t, ['good.txt', input], {code: failed, says}), []);
  const results = await embed(t, ['--resume', 'good.txt'], {code: done, says: /untrained/});
  t.is(results.length, 1);
});

test.serial('embed reads ill-formed UTF-8 as U+FFFD and says so, and stops there with --strict', async t => {
  writeFileSync(join(cwd, 'latin-1.txt'), Buffer.from('caf\xe9 ol\xe9 \xff', 'latin1'));
  writeFileSync(join(cwd, 'replaced.txt'), 'caf\ufffd ol\ufffd \ufffd');
  const args = ['--out', 'replaced.jsonl', 'replaced.txt'];
  await embed(t, args, {code: done, says: /mean little\n$/});
  const says = /Read 3 ill-formed UTF-8 sequences as U\+FFFD; --strict stops there instead\n$/;
  const [result] = await embed(t, ['latin-1.txt'], {code: done, says});
  const [same] = parseResults(readFileSync(join(cwd, 'replaced.jsonl'), 'utf8'));
  t.deepEqual(result!.embedding, same!.embedding);
  await embed(t, ['--strict', 'latin-1.txt'], {
    code: failed,
    says: /Cannot read document "latin-1\.txt" as its text must be well-formed UTF-8: it is not, at or before offset \d+/,
  });
});

/** Has Node tell on standard error how much memory it took at most, in kilobytes. */
const tellMemory = [
  '--import',
  `data:text/javascript,process.on('exit', () => console.error('took', process.resourceUsage().maxRSS))`,
];

function peak({stderr}: CommandResult): number {
  return Number(/^took (\d+)$/m.exec(stderr)![1]);
}

function writeLongLine(name: string, {before = '', after = ''} = {}): void {
  const file = openSync(join(cwd, name), 'w');
  writeSync(file, before);
  for (let megabyte = 0; megabyte < 200; megabyte++) writeSync(file, Buffer.alloc(1_000_000, 'a'));
  writeSync(file, after);
  closeSync(file);
}

test.serial('embed reads a line of 200 MB without taking it into memory', async t => {
  writeLongLine('long.txt');
  const args = [...program, '-s', 'memory', '--every', 'segment', 'long.txt'];
  const running = startCommand(args, {cwd, nodeOptions: tellMemory});
  // Reading it all would take minutes: by the hundredth segment, everything that is read ahead has been.
  let results = 0;
  running.process.stdout!.on('data', (piece: Buffer) => {
    results += piece.toString().split('\n').length - 1;
    if (results > 100) running.process.kill('SIGTERM');
  });
  const result = await running.ended;
  t.is(result.code, exitCodes.terminated);
  t.true(peak(result) < 300_000, `${peak(result)} kB`);
});

test.serial('embed makes a line of 200 MB in JSON Lines a dead letter', async t => {
  writeLongLine('long.jsonl', {before: '{"id":"a","text":"', after: '"}\n{"id":"b","text":"short"}\n'});
  const args = [...program, '-s', 'long', '--format', 'jsonl', 'long.jsonl'];
  const result = await runCommand(args, {cwd, nodeOptions: tellMemory});
  t.is(result.code, done, result.stderr);
  t.regex(result.stderr, /Put 1 line that could not be decoded into "long\.dead-letters\.jsonl"/);
  t.deepEqual(
    parseResults(result.stdout).map(({id}) => id),
    ['b'],
  );
  // 64 MiB of it are read before it is known to be too long, into a buffer that is copied as it grows.
  t.true(peak(result) < 400_000, `${peak(result)} kB`);
  const letter = readFileSync(join(cwd, 'long.dead-letters.jsonl'), 'utf8');
  t.regex(letter.slice(0, 1000), /its line is longer than a line may be/);
  t.true(letter.length < 70_000);
  rmSync(join(cwd, 'long.jsonl'));
  rmSync(join(cwd, 'long.dead-letters.jsonl'));
});

test.serial('embed refuses models that cannot be used', async t => {
  const config = JSON.parse(readFileSync(join(cwd, 'model/config.json'), 'utf8'));
  for (const name of ['truncated', 'unfit', 'out of range'])
    cpSync(join(cwd, 'model'), join(cwd, name), {recursive: true});
  const weights = readFileSync(join(cwd, 'model/model.safetensors'));
  writeFileSync(join(cwd, 'truncated/model.safetensors'), weights.subarray(0, weights.length - 1000));
  writeFileSync(join(cwd, 'unfit/config.json'), JSON.stringify({...config, hidden_size: 32}));
  writeFileSync(join(cwd, 'out of range/config.json'), JSON.stringify({...config, mem_len: -1}));
  const cases: [string, RegExp][] = [
    [
      'missing',
      /Cannot read model "missing" as it must be a folder: current value is missing; make a model with "palimpsest init"/,
    ],
    ['truncated', /Cannot read "truncated\/model\.safetensors" as .*truncated/],
    [
      'unfit',
      /Cannot use "unfit\/model\.safetensors" as weight ".*" must have shape \[.*32.*\]: current value is \[.*64.*\]; take weights and configuration of the same model/,
    ],
    [
      'out of range',
      /Cannot read "out of range\/config\.json" as mem_len must be .*: current value is -1; correct the file/,
    ],
  ];
  for (const [model, says] of cases) {
    await ends(t, ['embed', '-m', model, '--engine', 'wasm', 'good.txt'], {code: failed, says});
  }
});

test.serial('embed says how to get an engine that is missing', async t => {
  mkdirSync(join(cwd, 'no engines'));
  const options = {env: {PALIMPSEST_CACHE: join(cwd, 'no engines')}};
  const says = /Cannot open engine "gpu" as .*not installed: .*run "npx palimpsest native install --gpu"/;
  await ends(t, ['embed', '-m', 'model', '--engine', 'gpu', 'good.txt'], {code: failed, says, options});
});

test.serial('embed explains wrong use', async t => {
  const use = ['embed', '-m', 'model'];
  const jsonl = ['--format', 'jsonl'];
  const hint = '\\s*Add --help for what is possible';
  const cases: [string[], RegExp][] = [
    [[...use, '--bogus', 'good.txt'], new RegExp(`error: unknown option '--bogus'${hint}`)],
    [use, new RegExp(`error: missing required argument 'inputs'${hint}`)],
    [['emebd'], new RegExp(`error: unknown command 'emebd'\\s*\\(Did you mean embed\\?\\)${hint}`)],
    [['native', 'install', '--bogus'], new RegExp(`error: unknown option '--bogus'${hint}`)],
    [[...use, '--batch', '0', 'good.txt'], new RegExp(`'--batch <documents>' argument '0' is invalid.*${hint}`)],
    [
      [...use, '--every', 'word', 'good.txt'],
      new RegExp(`'word' is invalid. Allowed choices are document, segment.${hint}`),
    ],
    [
      [...use, '--id-field', 'id', 'good.txt'],
      /--id-field as the format must be jsonl or lines: current value is text/,
    ],
    [
      [...use, '--text-field', 'a', '--format', 'lines', 'good.txt'],
      /--text-field as the format must be jsonl: .* lines/,
    ],
    [[...use, '--format', 'lines', '--id-field', '0', 'good.txt'], /a column must be a positive integer: .* 0/],
    [[...use, '--format', 'jsonl', '--id-field', 'a..b', 'good.txt'], /a dotted path without empty steps: .* "a\.\.b"/],
    [
      [...use, '--threads', '1025', 'good.txt'],
      /'--threads <number>' argument '1025' is invalid. It must be at most 1024/,
    ],
    [[...use, '--store', '', 'good.txt'], /--store must name a folder/],
    [[...use, '--store', 'memory', '--resume', 'good.txt'], /Cannot use --resume as --store must be a folder/],
    [
      [...use, '--out', './good.txt', 'good.txt'],
      /Cannot write to "\.\/good\.txt" as --out must be another file: it is an input/,
    ],
    [[...use, '--dead-letters', 'a', 'good.txt'], /Cannot use --dead-letters as the format must be jsonl, or lines/],
    [
      [...use, ...jsonl, '--dead-letters', 'good.txt', '*.txt'],
      /as --dead-letters must be another file: it is an input/,
    ],
    [
      [...use, ...jsonl, '--dead-letters', 'a', '--out', 'a', 'good.txt'],
      /as --out must be another file: it is that of --dead-letters/,
    ],
    [
      ['embed', '-m', 'model', '-s', 'letters', ...jsonl, 'letters.dead-letters.jsonl'],
      /as --dead-letters must be another file/,
    ],
    [
      ['embed', '-m', 'model', '-s', 'letters', ...jsonl, '-o', 'letters.dead-letters.jsonl', 'good.txt'],
      /as --out must be another file: it is that of --dead-letters/,
    ],
    [
      ['embed', '-m', 'model', '-s', 'here', '-o', 'here/data.mdb', 'good.txt'],
      /as --out must lie elsewhere: it is in the folder of the store/,
    ],
    [
      [...use, ...jsonl, '--dead-letters', 'linked/config.json', 'good.txt'],
      /as --dead-letters must lie elsewhere: it is in the folder of the model/,
    ],
  ];
  symlinkSync('model', join(cwd, 'linked'));
  writeFileSync(join(cwd, 'letters.dead-letters.jsonl'), '{}\n');
  for (const [args, says] of cases) await ends(t, args, {code: wrongUse, says});
  t.is(readFileSync(join(cwd, 'letters.dead-letters.jsonl'), 'utf8'), '{}\n');
  t.is(readFileSync(join(cwd, 'good.txt'), 'utf8'), sampleText(100, 1));
});
