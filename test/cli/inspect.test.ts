import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {exitCodes} from '../../cli/exit-codes.ts';
import {LmdbStore} from '../../memory-store/lmdb-store.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
const {done, failed} = exitCodes;

test.before(async t => {
  t.is((await runCommand(['init', 'model', '--preset', 'tiny'], {cwd})).code, done);
  writeFileSync(join(cwd, 'book.txt'), sampleText(32 * 10 + 5, 1));
  const args = ['embed', '-q', '-m', 'model', '--engine', 'wasm', '-s', 'store', 'book.txt'];
  t.is((await runCommand(args, {cwd})).code, done);
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

test.serial('inspect shows what is remembered of a document', async t => {
  const {code, stdout} = await runCommand(['inspect', '-s', 'store', '--json', 'book.txt'], {cwd});
  t.is(code, done);
  const {model, bitsPerByte, storedBytes, lastPosition, lastTimestamp, ...shown} = JSON.parse(stdout);
  t.deepEqual(shown, {
    id: 'book.txt',
    segments: 10,
    tokens: 320,
    pendingTokens: 5,
    heldBackBytes: 0,
    layers: 2,
    memory: '32 slots in each layer',
    compressedMemory: '32 slots in each layer',
  });
  t.regex(model, /^[0-9a-f]{16}$/);
  t.true(bitsPerByte > 5 && bitsPerByte < 12);
  t.true(storedBytes > 2 * (32 + 32) * 64 * 4);
  t.regex(lastPosition.partition, /^file:.*book\.txt$/);
  t.is(lastPosition.offset, '324');
  t.true(Math.abs(Date.parse(lastTimestamp) - Date.now()) < 600_000);

  const plain = await runCommand(['inspect', '-s', 'store', 'book.txt'], {cwd});
  t.regex(plain.stdout, /^id {16}book\.txt\n/);
  t.regex(plain.stdout, /\nsegments {10}10\n/);
  t.regex(plain.stdout, /\nlastPosition {6}file:.*book\.txt at 324\n/);
});

test.serial('inspect says what is missing', async t => {
  const missing = await runCommand(['inspect', '-s', 'store', 'page.txt'], {cwd});
  t.is(missing.code, failed);
  t.regex(
    missing.stderr,
    /^palimpsest: Cannot inspect "page\.txt" as the store at "store" must hold it: "palimpsest inspect --store store" lists what it holds\n$/,
  );
  const storeless = await runCommand(['inspect', '-s', 'elsewhere'], {cwd});
  t.is(storeless.code, failed);
  t.regex(
    storeless.stderr,
    /^palimpsest: Cannot open the store at ".*elsewhere" as there must be one: found none; check the path\n$/,
  );
  const hint = await runCommand(['inspect', '--bogus'], {cwd});
  t.is(hint.code, exitCodes.wrongUse);
  t.regex(hint.stderr, /unknown option '--bogus'\nAdd --help for what is possible/);
});

test.serial('inspect lists documents, however many', async t => {
  const one = await runCommand(['inspect', '-s', 'store'], {cwd});
  t.is(one.stdout, 'book.txt\n1 document\n');
  t.is((await runCommand(['inspect', '-s', 'store', '--json'], {cwd})).stdout, '{"id":"book.txt"}\n');

  const ids = Array.from({length: 1500}, (_, n) => `${'a long name of document '.repeat(4)}${n}`);
  {
    await using store = await LmdbStore.open(join(cwd, 'large'));
    const records = ids.map(id => [id, sampleMemoryRecord(1)] as const);
    await store.commit(records, {partitions: new Map(), outputs: new Map()});
  }
  const {stdout} = await runCommand(['inspect', '-s', 'large'], {cwd});
  t.is(stdout.split('\n').length, 100 + 2);
  t.regex(stdout, /\n… and 1,400 more documents\n$/);
  const json = await runCommand(['inspect', '-s', 'large', '--json'], {cwd});
  const listed = json.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line).id);
  t.deepEqual(listed.sort(), ids.sort());

  const within = ['sh', '-c', '{ "$@"; echo "ended with $?" >&2; } | head -1', 'sh'];
  const closed = await runCommand(['inspect', '-s', 'large', '--json'], {cwd, within});
  t.is(closed.stderr, `ended with ${exitCodes.outputClosed}\n`);
  t.is(closed.stdout.split('\n').length, 2);
});

test.serial('inspect shows what a run that goes on has committed', async t => {
  const args = [
    '-q',
    '-m',
    'model',
    '--engine',
    'wasm',
    '-s',
    'live',
    '--format',
    'jsonl',
    '--checkpoint-bytes',
    '1',
    '-',
  ];
  const run = startCommand(['embed', ...args], {cwd, input: 'pipe'});
  const committed = async (tokens: number) => {
    for (;;) {
      const {stdout} = await runCommand(['inspect', '-s', 'live', '--json', 'a'], {cwd});
      if (stdout !== '' && JSON.parse(stdout).tokens === tokens) return;
      await sleep(50);
    }
  };
  const line = `${JSON.stringify({id: 'a', text: sampleText(32, 1)})}\n`;
  // A line is read when the next one shows whether its document goes on, which is known once something follows it.
  run.process.stdin!.write(line + line + line);
  await committed(32);
  run.process.stdin!.write(line);
  await committed(64);
  run.process.stdin!.end();
  t.is((await run.ended).code, done);
  await committed(128);
});
