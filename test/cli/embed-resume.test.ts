import {appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {seededRandom} from '../operators/seeded-random.ts';
import {parseResults} from './parse-results.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {type StartedCommand, startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
const model = '--preset tiny --layers 1 --width 8 --feed-forward 8 --segment 64 --memory 16 --compressed-memory 8';

test.before(async t => {
  t.is((await runCommand(['init', 'model', ...model.split(' ')], {cwd})).code, 0);
  mkdirSync(join(cwd, 'texts'));
  mkdirSync(join(cwd, 'logs'));
  const random = seededRandom(1);
  for (let n = 0; n < 30; n++) {
    // One file is longer than what is read of it at once, one is empty.
    const bytes = n === 2 ? 66_000 : n === 9 ? 0 : Math.floor(random() * 2000);
    writeFileSync(join(cwd, `texts/${n}.txt`), sampleText(bytes, n));
  }
  const lines: string[] = [];
  for (let n = 0; n < 400; n++) {
    const text = sampleText(Math.floor(random() * 200), n).replaceAll('\n', ' ');
    lines.push(`${n} host-${Math.floor(random() * 5)} ${text}\n`);
  }
  for (let n = 0; n < 10; n++) writeFileSync(join(cwd, `logs/${n}.log`), lines.slice(n * 40, n * 40 + 40).join(''));
  const pieces = lines.map((text, n) => `${JSON.stringify({id: `document ${Math.floor(n / 7)}`, text})}\n`);
  pieces.splice(200, 0, 'not JSON\n');
  writeFileSync(join(cwd, 'corpus.jsonl'), pieces.join(''));
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

/** A command that writes to files of its own. */
function command(name: string, args: readonly string[]): string[] {
  const files = ['-s', `${name} store`, '-o', `${name}.jsonl`];
  return ['embed', '-m', 'model', '--engine', 'wasm', '--checkpoint-bytes', '2000', ...files, ...args];
}

async function complete(t: ExecutionContext, name: string, args: readonly string[]): Promise<number> {
  const {code, stderr} = await runCommand(command(name, args), {cwd});
  t.is(code, 0, stderr);
  return tokensRead(stderr);
}

/** What the last line of a run says. */
function tokensRead(stderr: string): number {
  return Number(/Read .*?([\d,]+) tokens?,/.exec(stderr)![1]!.replaceAll(',', ''));
}

function output(name: string): string {
  return readFileSync(join(cwd, `${name}.jsonl`), 'utf8');
}

/** Resolves when a run has changed its store so many times, or ended. */
async function storeChanges(name: string, {running, changes}: {running: StartedCommand; changes: number}) {
  let ended = false;
  running.ended.then(() => {
    ended = true;
  });
  const changed = () => statSync(join(cwd, `${name} store/data.mdb`), {throwIfNoEntry: false})?.mtimeMs;
  let last = changed();
  for (let seen = 0; seen < changes && !ended; ) {
    await sleep(5);
    if (changed() === last) continue;
    last = changed();
    seen++;
  }
}

const scenarios = {
  texts: ['--batch', '4', 'texts/*.txt'],
  segments: ['--batch', '4', '--every', 'segment', 'texts/*.txt'],
  jsonl: ['--format', 'jsonl', 'corpus.jsonl'],
  keys: ['--format', 'lines', '--id-field', '2', '--every', 'segment', 'logs/*.log'],
};

const wholes = new Map<string, Promise<{tokens: number; lines: string}>>();

/** What an uninterrupted run gives. */
function whole(t: ExecutionContext, scenario: keyof typeof scenarios): Promise<{tokens: number; lines: string}> {
  const name = `${scenario} whole`;
  const run = async () => ({tokens: await complete(t, name, scenarios[scenario]), lines: output(name)});
  if (!wholes.has(scenario)) wholes.set(scenario, run());
  return wholes.get(scenario)!;
}

for (const name of ['texts', 'segments', 'jsonl', 'keys'] as const) {
  const args = scenarios[name];
  test.serial(`embed killed again and again writes what an uninterrupted run writes: ${name}`, async t => {
    const random = seededRandom(name.length);
    const {tokens, lines} = await whole(t, name);
    let broken = '';
    let read = 0;
    let kills = 0;
    // A machine that holds this process up lets a run get to its end before it is killed.
    for (let round = 0; round < 5 && (kills < 2 || read === 0); round++) {
      broken = `${name} broken ${round}`;
      kills = 0;
      for (let attempt = 0; attempt < 3; attempt++) {
        const running = startCommand([...command(broken, args), ...(attempt > 0 ? ['--resume'] : [])], {cwd});
        await running.says('Reading with');
        await storeChanges(broken, {running, changes: 2 + Math.floor(random() * 3)});
        await sleep(random() * 40);
        running.process.kill('SIGKILL');
        if ((await running.ended).signal === 'SIGKILL') kills++;
      }
      read = await complete(t, broken, [...args, '--resume']);
      t.is(output(broken), lines);
    }
    t.true(kills >= 2, `${kills} kills`);
    t.true(read > 0 && read < tokens, `read ${read} of ${tokens} tokens at last`);
    if (name === 'jsonl') {
      const [letters, expected] = [broken, `${name} whole`].map(run =>
        readFileSync(join(cwd, `${run} store.dead-letters.jsonl`), 'utf8'),
      );
      t.is(letters, expected);
      t.regex(letters!, /"content":"not JSON"\}\n$/);
    }
  });
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test.serial(`embed stopped by ${signal} says how to go on, and does`, async t => {
    const args = scenarios.jsonl;
    const running = startCommand(command(signal, args), {cwd});
    await running.says('Reading with');
    await storeChanges(signal, {running, changes: 5});
    running.process.kill(signal);
    const {code, stderr} = await running.ended;
    t.is(code, exitCode, stderr);
    t.regex(
      stderr,
      new RegExp(`\\nStopped by ${signal} after .* tokens/s; --resume goes on from the last checkpoint\\n$`),
    );
    const {tokens, lines} = await whole(t, 'jsonl');
    t.true(output(signal).length < lines.length);
    t.true((await complete(t, signal, [...args, '--resume'])) < tokens);
    t.is(output(signal), lines);
  });
}

test.serial('embed does not go on with a log that was replaced, though it is longer', async t => {
  const args = ['--format', 'lines', '--id-field', '1', 'rotated.log'];
  writeFileSync(join(cwd, 'rotated.log'), 'a monday\nb monday\n');
  await complete(t, 'rotated', args);
  const before = output('rotated');
  writeFileSync(join(cwd, 'rotated.log'), 'a tuesday\nb tuesday\nc tuesday\n');
  const {code, stderr} = await runCommand(command('rotated', [...args, '--resume']), {cwd});
  t.is(code, 1);
  t.regex(
    stderr,
    /Cannot go on reading "rotated\.log" at offset 18 as what lies before must be what was read: it is not; it was replaced\n$/,
  );
  t.is(output('rotated'), before);
  await complete(t, 'rotated', args);
  t.is(parseResults(output('rotated')).length, 3);
});

test.serial('embed reads what was added to a log, and nothing else', async t => {
  const [first, second] = [sampleText(5000, 1), sampleText(1234, 2)];
  writeFileSync(join(cwd, 'growing.log'), first);
  for (const format of ['text', 'lines']) {
    const args = ['--format', format, 'growing.log'];
    writeFileSync(join(cwd, 'growing.log'), first);
    await complete(t, format, args);
    appendFileSync(join(cwd, 'growing.log'), second);
    const read = await complete(t, format, [...args, '--resume']);
    await complete(t, `${format} whole`, args);
    // What did not fill a segment is read once more.
    t.is(read, (5000 % 64) + 1234);
    t.is(output(format).split('\n').length, 3);
    t.is(output(format).split('\n')[1], output(`${format} whole`).trimEnd());
    t.is(await complete(t, format, [...args, '--resume']), 0);
    t.is(output(format).split('\n').length, 3);
  }
});
