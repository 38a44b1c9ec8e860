import {spawnSync} from 'node:child_process';
import {chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {open} from 'lmdb';
import {exitCodes} from '../../cli/exit-codes.ts';
import {sealValue} from '../../memory-store/sealed-value.ts';
import {parseResults} from './parse-results.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
const program = ['embed', '-q', '-m', 'model', '--engine', 'wasm'];
const {done, failed, outputClosed} = exitCodes;
const stackTrace = /^ {4}at /m;

test.before(async t => {
  t.is((await runCommand(['init', 'model', '--preset', 'tiny'], {cwd})).code, done);
  writeFileSync(join(cwd, 'good.txt'), sampleText(100, 1));
  const lines = Array.from(
    {length: 160},
    (_, n) => `${JSON.stringify({id: `document ${n}`, text: sampleText(36, n)})}\n`,
  );
  writeFileSync(join(cwd, 'many.jsonl'), lines.join(''));
  t.is((await runCommand([...program, '-s', 'sound', 'good.txt'], {cwd})).code, done);
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

test.serial('embed refuses stores of another model, of a newer version, and damaged ones', async t => {
  t.is((await runCommand(['init', 'other', '--preset', 'tiny', '--seed', '2'], {cwd})).code, done);
  for (const name of ['newer', 'cut', 'overwritten']) cpSync(join(cwd, 'sound'), join(cwd, name), {recursive: true});
  const environment = open(join(cwd, 'newer'), {encoding: 'binary', keyEncoding: 'binary', noSubdir: false, maxDbs: 8});
  const meta = environment.openDB({name: 'palimpsest', encoding: 'binary', keyEncoding: 'binary'});
  await meta.put(Buffer.from('format'), sealValue(2));
  await environment.close();
  truncateSync(join(cwd, 'cut/data.mdb'), 9000);
  writeFileSync(join(cwd, 'overwritten/data.mdb'), sampleText(50_000, 5));
  const cases: [string, string, RegExp][] = [
    [
      'other',
      'sound',
      /Cannot open the store at ".*sound" as its memories must be of the model given, \w+: they are of \w+; use the model that wrote them, or a new folder/,
    ],
    [
      'model',
      'newer',
      /Cannot open the store at ".*newer" as its format must be at most 1: current format is 2; upgrade Palimpsest/,
    ],
    [
      'model',
      'cut',
      /Cannot open the store .*; restore it from a backup, or remove the folder and replay the input|LMDB refuses it/,
    ],
    [
      'model',
      'overwritten',
      /Cannot open the store as its data file must be whole: ".*data\.mdb" does not begin like a store/,
    ],
    ['model', 'good.txt', /Cannot open the store at ".*good\.txt" as it must be a folder: it is a file/],
  ];
  for (const [model, store, says] of cases) {
    const args = ['embed', '-m', model, '--engine', 'wasm', '-s', store, '-o', 'untouched.jsonl', 'good.txt'];
    writeFileSync(join(cwd, 'untouched.jsonl'), 'earlier results\n');
    const {code, stderr} = await runCommand(args, {cwd});
    t.is(code, failed);
    t.regex(stderr, says);
    t.notRegex(stderr, stackTrace);
    t.is(readFileSync(join(cwd, 'untouched.jsonl'), 'utf8'), 'earlier results\n');
  }
  const {code, stdout} = await runCommand(['inspect', '-s', 'sound', 'good.txt'], {cwd});
  t.is(code, done, 'The store of the other model is as it was');
  t.regex(stdout, /tokens +96\n/);
});

test.serial('embed ends when its output or its dead letters cannot be written', async t => {
  writeFileSync(join(cwd, 'bad.jsonl'), '{"id":"a"}\n');
  const cases: [string[], RegExp][] = [
    [['--out', '/dev/full', 'good.txt'], /Cannot write "\/dev\/full" as no space is left on the device\n$/],
    [
      ['--format', 'jsonl', '--dead-letters', '/dev/full', 'bad.jsonl'],
      /Cannot write "\/dev\/full" as no space is left/,
    ],
    [['--out', 'no/such/folder', 'good.txt'], /Cannot write "no\/such\/folder" as its folder does not exist/],
  ];
  for (const [args, says] of cases) {
    const {code, stderr} = await runCommand([...program, '-s', 'unwritten', ...args], {cwd});
    t.is(code, failed);
    t.regex(stderr, says);
    t.notRegex(stderr, stackTrace);
  }
  const {stdout} = await runCommand(['inspect', '-s', 'unwritten'], {cwd});
  t.is(stdout, '0 documents\n', 'No memory is kept whose result was not written');
});

test.serial('embed goes on into no file that holds anything else', async t => {
  const args = [...program, '-s', 'elsewhere', '--format', 'jsonl', 'growing.jsonl'];
  writeFileSync(join(cwd, 'growing.jsonl'), '{"id":"a","text":"one"}\n');
  t.is((await runCommand([...args, '-o', 'one.jsonl'], {cwd})).code, done);
  writeFileSync(join(cwd, 'growing.jsonl'), '{"id":"a","text":"one"}\n{"id":"b","text":"two"}\n');
  writeFileSync(join(cwd, 'notes.txt'), 'not to be lost');
  for (const option of ['-o', '--dead-letters']) {
    const {code, stderr} = await runCommand([...args, '--resume', option, 'notes.txt'], {cwd});
    t.is(code, failed);
    t.regex(
      stderr,
      /Cannot go on writing "notes.txt" as it must be a file that was written before, or new: .* 14 other/,
    );
  }
  t.is(readFileSync(join(cwd, 'notes.txt'), 'utf8'), 'not to be lost');
  t.is((await runCommand([...args, '--resume', '-o', 'two.jsonl'], {cwd})).code, done);
  t.deepEqual(
    parseResults(readFileSync(join(cwd, 'two.jsonl'), 'utf8')).map(({id}) => id),
    ['b'],
  );
});

test.serial('embed wants no place for dead letters where nothing is decoded', async t => {
  mkdirSync(join(cwd, 'palimpsest.dead-letters.jsonl'));
  const {code, stderr} = await runCommand([...program, '-s', 'memory', 'good.txt'], {cwd});
  t.is(code, done, stderr);
});

test.serial('embed leaves memories as they are when its output cannot be written', async t => {
  const args = [...program, '-s', 'remembered', 'good.txt'];
  t.is((await runCommand(args, {cwd})).code, done);
  const before = await runCommand(['inspect', '-s', 'remembered', '--json', 'good.txt'], {cwd});
  mkdirSync(join(cwd, 'a folder'));
  for (const out of ['no/such/folder', 'a folder']) {
    const {code, stderr} = await runCommand([...args, '--out', out], {cwd});
    t.is(code, failed);
    t.regex(stderr, new RegExp(`Cannot write "${out}" as `));
    t.deepEqual(await runCommand(['inspect', '-s', 'remembered', '--json', 'good.txt'], {cwd}), before);
  }
});

/** Whether this user may mount in a namespace of its own. */
const mayMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test.serial('embed goes on when there is room again for its store', async t => {
  mkdirSync(join(cwd, 'full'));
  const args = [
    ...program,
    '--format',
    'jsonl',
    '--checkpoint-bytes',
    '4000',
    '--batch',
    '32',
    '-o',
    'full.jsonl',
    'many.jsonl',
  ];
  const inFull = [...args, '-s', 'full/store', '--dead-letters', 'letters'];
  // Where nothing can be mounted, a limit on the size of files is met like the end of a disk.
  const script = mayMount
    ? 'mount -t tmpfs -o size=2500k none full; "$@"; echo "ended with $?"; mount -o remount,size=99m full; exec "$@" --resume'
    : 'trap "" XFSZ; (ulimit -f 2000; "$@"); echo "ended with $?"; exec "$@" --resume';
  const within = [...(mayMount ? ['unshare', '-rm'] : []), 'sh', '-c', script, 'sh'];
  const {code, stdout, stderr} = await runCommand(inFull, {cwd, within});
  t.is(stdout, 'ended with 1\n');
  t.regex(
    stderr,
    /Cannot commit to the store at ".*full\/store" as the disk must .*; nothing was changed, make room .*try again/,
  );
  t.notRegex(stderr, stackTrace);
  t.is(code, done, stderr);
  const results = readFileSync(join(cwd, 'full.jsonl'), 'utf8');
  t.is(parseResults(results).length, 160);
  t.is((await runCommand([...args, '-s', 'roomy'], {cwd})).code, done);
  t.is(readFileSync(join(cwd, 'full.jsonl'), 'utf8'), results);
});

test.serial('embed says once, and without a stack trace, that the disk takes no more', async t => {
  const args = [...program, '-s', 'limited', '--format', 'jsonl', '--checkpoint-bytes', '2000', 'many.jsonl'];
  // A limit on the size of files is met in the middle of a write, unlike the end of a disk, which is seen coming.
  const within = ['sh', '-c', 'trap "" XFSZ; ulimit -f 600; exec "$@"', 'sh'];
  const {code, stderr} = await runCommand(args, {cwd, within});
  t.is(code, failed);
  t.regex(
    stderr,
    /^Model "model" is untrained.*\npalimpsest: Cannot commit to the store at ".*limited" as the disk must take all of it: .*; nothing was changed, make room or check the disk and try again\n$/,
  );
});

test.serial('embed refuses a store that cannot be written', async t => {
  // Root may write wherever the file system lets anybody.
  let store = 'sound';
  let within: string[] = [];
  if (process.getuid?.() !== 0) chmodSync(join(cwd, 'sound'), 0o555);
  else if (!mayMount) store = '/sys/palimpsest';
  else
    within = [
      'unshare',
      '-rm',
      'sh',
      '-c',
      'mount --bind sound sound; mount -o remount,ro,bind sound; exec "$@"',
      'sh',
    ];
  const {code, stderr} = await runCommand([...program, '-s', store, 'good.txt'], {cwd, within});
  chmodSync(join(cwd, 'sound'), 0o755);
  t.is(code, failed);
  t.regex(stderr, /Cannot open the store at ".*" as the folder must be readable and writable: E/);
  t.notRegex(stderr, stackTrace);
});

test.serial('embed refuses a store that another run is writing to, which goes on', async t => {
  const args = [...program, '-s', 'busy'];
  const first = startCommand([...args, '-'], {cwd, input: 'pipe'});
  await first.says('untrained');
  const busy = {cwd, input: 'a text'};
  // The first run has opened the store at the latest when the second one is refused.
  const {code, stderr} = await runCommand([...args, 'good.txt'], busy);
  t.is(code, failed, stderr);
  t.regex(
    stderr,
    new RegExp(
      `Cannot open the store at ".*busy" for writing as only one process may write: process ${first.process.pid} does`,
    ),
  );
  first.process.stdin!.end('a text');
  const {code: firstCode, stdout} = await first.ended;
  t.is(firstCode, done);
  t.is(parseResults(stdout)[0]!.tokens, 6);
});

test.serial('embed ends quietly when whoever reads its output has seen enough', async t => {
  const within = ['sh', '-c', '{ "$@"; echo "ended with $?" >&2; } | head -1', 'sh'];
  const args = [...program, '-s', 'closed', '--format', 'jsonl', 'many.jsonl'];
  const {stdout, stderr} = await runCommand(args, {cwd, within});
  t.is(parseResults(stdout).length, 1);
  t.regex(stderr, new RegExp(`^Model "model" is untrained.*\\nended with ${outputClosed}\\n$`));
});

test.serial('help has a reader that goes early, and no stack trace', async t => {
  const {process: child, ended} = startCommand(['embed', '--help'], {cwd});
  child.stdout?.destroy();
  const {code, stderr} = await ended;
  t.is(code, outputClosed);
  t.is(stderr, '');
});
