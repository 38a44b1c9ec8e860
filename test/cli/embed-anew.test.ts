import {mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {parseResults, type Result} from './parse-results.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
const model = join(cwd, 'model');

test.before(async t => {
  t.is((await runCommand(['init', 'model', '--preset', 'tiny'], {cwd})).code, 0);
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

const program = ['embed', '-q', '-m', model, '--engine', 'wasm'];

async function embed(t: ExecutionContext, args: readonly string[], {folder = cwd, input = ''} = {}): Promise<Result[]> {
  const {code, stdout, stderr} = await runCommand([...program, ...args], {cwd: folder, input});
  t.is(code, 0, stderr);
  return parseResults(stdout);
}

test.serial('embed reads a file anew without --resume, however much it has grown', async t => {
  writeFileSync(join(cwd, 'grown.txt'), sampleText(200, 1));
  await embed(t, ['-s', 'grown', 'grown.txt']);
  writeFileSync(join(cwd, 'grown.txt'), sampleText(900, 1));
  const [grown] = await embed(t, ['-s', 'grown', 'grown.txt']);
  t.deepEqual([grown], await embed(t, ['-s', 'fresh', 'grown.txt']));
  t.is(grown!.tokens, 900);
});

test.serial('embed tells apart files of one name in two folders', async t => {
  for (const name of ['one', 'two']) {
    mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, name, 'page.txt'), sampleText(150, name.length));
  }
  const store = join(cwd, 'shared');
  await embed(t, ['-s', store, 'page.txt'], {folder: join(cwd, 'one')});
  for (const resume of [[], ['--resume']]) {
    const [page] = await embed(t, ['-s', store, ...resume, 'page.txt'], {folder: join(cwd, 'two')});
    t.is(page?.tokens, resume.length > 0 ? undefined : 150);
  }
  const {code, stderr} = await runCommand([...program, '-s', store, '--resume', 'page.txt'], {cwd: join(cwd, 'one')});
  t.is(code, 1);
  t.regex(stderr, /it holds none, or that of another file of this name; read it anew without --resume/);
});

test.serial('embed goes on with no document under another name', async t => {
  writeFileSync(join(cwd, 'named.txt'), sampleText(200, 1));
  await embed(t, ['-s', 'named', 'named.txt']);
  writeFileSync(join(cwd, 'named.txt'), sampleText(900, 1));
  const {code, stdout, stderr} = await runCommand([...program, '-s', 'named', '--resume', './named.txt'], {cwd});
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /Cannot go on reading "\.\/named\.txt" as its document must have the name .* "named\.txt": name/);
  const [grown] = await embed(t, ['-s', 'named', '--resume', 'named.txt']);
  t.is(grown!.tokens, 900);
});

test.serial(
  'embed reads documents of several files anew without --resume, and goes on with those of other files',
  async t => {
    const line = (id: string, text: string) => `${JSON.stringify({id, text})}\n`;
    writeFileSync(join(cwd, 'january.jsonl'), line('a', sampleText(100, 1)) + line('b', sampleText(50, 2)));
    writeFileSync(join(cwd, 'february.jsonl'), line('b', sampleText(70, 3)) + line('a', sampleText(40, 4)));
    const args = ['-s', 'months', '--format', 'jsonl'];
    const both = await embed(t, [...args, 'january.jsonl', 'february.jsonl']);
    t.deepEqual(await embed(t, [...args, 'january.jsonl', 'february.jsonl']), both);
    t.deepEqual(both.map(({id, tokens}) => `${id} ${tokens}`).sort(), ['a 100', 'a 140', 'b 120', 'b 50']);

    const apart = ['-s', 'months apart', '--format', 'jsonl'];
    const january = await embed(t, [...apart, 'january.jsonl']);
    const february = await embed(t, [...apart, 'february.jsonl']);
    const sorted = (results: Result[]) => results.map(result => JSON.stringify(result)).sort();
    t.deepEqual(sorted([...january, ...february]), sorted(both));
  },
);

test.serial(
  'embed reads documents of a file that was replaced anew, when they come behind a checkpoint as well',
  async t => {
    const line = (id: string, seed: number) => `${JSON.stringify({id, text: sampleText(100, seed)})}\n`;
    const args = ['--format', 'jsonl', '--checkpoint-bytes', '200', 'log.jsonl'];
    writeFileSync(join(cwd, 'log.jsonl'), line('late', 1) + line('other', 2));
    await embed(t, ['-s', 'replaced', ...args]);
    writeFileSync(join(cwd, 'log.jsonl'), [3, 4, 5, 6].map(seed => line('early', seed)).join('') + line('late', 7));
    const replaced = await embed(t, ['-s', 'replaced', ...args]);
    t.deepEqual(replaced, await embed(t, ['-s', 'replaced fresh', ...args]));
    t.deepEqual(
      replaced.map(({id, tokens}) => `${id} ${tokens}`),
      ['early 400', 'late 100'],
    );
  },
);

test.serial(
  'embed goes on where a run without --resume was stopped, though an earlier run had read everything',
  async t => {
    const lines = Array.from({length: 40}, (_, n) => `${JSON.stringify({id: `${n % 4}`, text: sampleText(80, n)})}\n`);
    const args = [...program, '-s', 'again', '-o', 'again.jsonl', '--format', 'jsonl', '-'];
    t.is((await runCommand(args, {cwd, input: lines.join('')})).code, 0);
    const expected = readFileSync(join(cwd, 'again.jsonl'), 'utf8');
    t.is(parseResults(expected).length, 40);

    const stopped = startCommand(args, {cwd, input: 'pipe'});
    await stopped.says('untrained');
    stopped.process.stdin!.write(lines.slice(0, 10).join(''));
    while (statSync(join(cwd, 'again.jsonl')).size > 0) await sleep(5);
    stopped.process.kill('SIGKILL');
    t.is((await stopped.ended).signal, 'SIGKILL');

    const {code, stderr} = await runCommand([...args, '--resume'], {cwd, input: lines.join('')});
    t.is(code, 0, stderr);
    t.is(readFileSync(join(cwd, 'again.jsonl'), 'utf8'), expected);
  },
);
