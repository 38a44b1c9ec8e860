import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {hasBfloat16} from '../../bench/has-bfloat16.ts';
import {exitCodes} from '../../cli/exit-codes.ts';
import {cacheFolder} from '../../model/engine/cache-folder.ts';
import {favoursBfloat16} from '../../model/engine/favours-bfloat16.ts';
import {parseResults, type Result} from './parse-results.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
/** Compiled steps are kept apart from those of others, on the engine that is installed. */
const cache = join(cwd, 'cache');
const graphs = join(cache, 'graphs');
const env = {PALIMPSEST_CACHE: cache};
const read = ['embed', '-q', '-m', 'model', '-s', 'memory', '--every', 'segment'];
/** Lines of one document, where a batch takes eight documents. */
const readLines = [...read, '--format', 'jsonl'];
const lines = `${JSON.stringify({id: 'log', text: 'a line of a log that does not end here\n'})}\n`.repeat(20);

test.before(async t => {
  mkdirSync(cache);
  symlinkSync(join(cacheFolder(), 'native'), join(cache, 'native'));
  t.is((await runCommand(['init', 'model', '--preset', 'tiny'], {cwd})).code, exitCodes.done);
  writeFileSync(join(cwd, 'text.txt'), sampleText(2000, 1));
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

async function embed(t: ExecutionContext, ...args: readonly string[]): Promise<Result[]> {
  const {code, stdout, stderr} = await runCommand([...read, ...args, 'text.txt'], {cwd, env});
  t.is(code, exitCodes.done, stderr);
  const results = parseResults(stdout);
  t.true(results.length > 3);
  return results;
}

const embeddings = (results: readonly Result[]) => results.map(({embedding}) => embedding);

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test.serial('embed keeps compiled steps for the next command, and with --no-compile none', async t => {
  const eager = await embed(t, '--engine', 'native', '--no-compile');
  t.false(existsSync(graphs));
  const compiled = await embed(t, '--engine', 'native');
  const kept = readdirSync(graphs);
  t.is(kept.length, 1);
  const written = readFileSync(join(graphs, kept[0]!));
  t.deepEqual(embeddings(await embed(t, '--engine', 'native')), embeddings(compiled));
  t.deepEqual(readdirSync(graphs), kept);
  t.deepEqual(readFileSync(join(graphs, kept[0]!)), written);
  for (const [index, {embedding, bitsPerByte}] of eager.entries()) {
    t.true(cosine(embedding, compiled[index]!.embedding) > 1 - 1e-5);
    t.true(Math.abs(bitsPerByte / compiled[index]!.bitsPerByte - 1) < 1e-5);
  }
});

test.serial('embed gives the same bits with any number of --threads, and starts so many', async t => {
  const [one, three] = [await embed(t, '--threads', '1'), await embed(t, '--threads', '3')];
  t.deepEqual(embeddings(three), embeddings(one));
  if (process.platform !== 'linux') return;
  const [few, many] = [await threadsOf(t, '1'), await threadsOf(t, '9')];
  // TensorFlow's and those of our kernels; others, such as those of Node, are the same.
  t.true(many - few >= 8, `${few} and ${many}`);
});

/** Threads of a process that has read a segment and waits for more. */
async function threadsOf(t: ExecutionContext, threads: string): Promise<number> {
  const args = [...readLines, '--engine', 'native', '--threads', threads, '--max-wait', '1', '-'];
  const {process: child, ended} = startCommand(args, {cwd, env, input: 'pipe'});
  const first = new Promise(resolve => child.stdout!.once('data', resolve));
  child.stdin!.write(lines);
  await Promise.race([first, ended]);
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  child.stdin!.end();
  t.is((await ended).code, exitCodes.done);
  return Number(/^Threads:\s*(\d+)$/m.exec(status)![1]);
}

test.serial('embed multiplies in the --precision that is asked for', async t => {
  const whole = await embed(t, '--engine', 'native');
  const half = await runCommand([...read, '--engine', 'native', '--precision', 'bfloat16', 'text.txt'], {cwd, env});
  const automatic = embeddings(await embed(t, '--engine', 'native', '--precision', 'auto'));
  if (!hasBfloat16()) {
    t.is(half.code, exitCodes.failed);
    t.regex(half.stderr, /Cannot multiply in bfloat16 as that takes the native engine/);
    t.deepEqual(automatic, embeddings(whole));
    return;
  }
  t.is(half.code, exitCodes.done, half.stderr);
  const results = parseResults(half.stdout);
  t.deepEqual(automatic, embeddings(favoursBfloat16() ? results : whole));
  t.notDeepEqual(embeddings(results), embeddings(whole));
  for (const [index, {embedding}] of results.entries()) t.true(cosine(embedding, whole[index]!.embedding) > 0.999);
});

test.serial('embed on another engine refuses --precision bfloat16, and takes float32 for auto', async t => {
  const wasm = ['--engine', 'wasm'];
  const {code, stdout, stderr} = await runCommand([...read, ...wasm, '--precision', 'bfloat16', 'text.txt'], {
    cwd,
    env,
  });
  t.is(code, exitCodes.failed);
  t.is(stdout, '');
  t.regex(stderr, /^palimpsest: Cannot multiply in bfloat16 as .*: use float32\n$/);
  t.deepEqual(
    embeddings(await embed(t, ...wasm, '--precision', 'auto')),
    embeddings(await embed(t, ...wasm, '--precision', 'float32')),
  );
});

for (const [option, value, says] of [
  ['--precision', 'float16', /option '--precision <type>' argument 'float16' is invalid/],
  ['--threads', '0', /--threads.*'0' is invalid/],
  ['--threads', 'many', /--threads.*'many' is invalid/],
  ['--max-wait', '-1', /--max-wait.*'-1' is invalid/],
  ['--max-wait', 'long', /--max-wait.*'long' is invalid/],
] as const) {
  test.serial(`embed refuses ${option} ${value}`, async t => {
    const {code, stdout, stderr} = await runCommand([...read, `${option}=${value}`, 'text.txt'], {cwd, env});
    t.is(code, exitCodes.wrongUse);
    t.is(stdout, '');
    t.regex(stderr, says);
  });
}

/** Writes segments of one document to an input, which stays open; whether a result comes within some time. */
async function answers(
  t: ExecutionContext,
  [input, ...options]: readonly [input: string, ...options: string[]],
  withinMs: number,
): Promise<boolean> {
  const {
    process: child,
    ended,
    says,
  } = startCommand([...readLines, ...options, input], {
    cwd,
    env,
    input: 'pipe',
    // Node's own pipes are sockets, which cannot be opened by a path.
    within: ['sh', '-c', 'cat | "$@"', 'sh'],
  });
  const first = new Promise(resolve => child.stdout!.once('data', () => resolve(true)));
  // The model is open.
  await says('is untrained');
  child.stdin!.write(lines);
  const answered = await Promise.race([first, setTimeout(withinMs, false)]);
  child.stdin!.end();
  const {code, stdout, stderr} = await ended;
  t.is(code, exitCodes.done, stderr);
  // Nothing that waited is lost.
  t.true(parseResults(stdout).at(-1)!.final);
  return answered as boolean;
}

test.serial('embed lets text wait for others no longer than --max-wait', async t => {
  // By default a path waits for ever, and standard input a second.
  t.false(await answers(t, ['/dev/stdin'], 3000));
  t.true(await answers(t, ['/dev/stdin', '--max-wait', '20'], 60_000));
  t.false(await answers(t, ['-', '--max-wait', '3600000'], 3000));
});
