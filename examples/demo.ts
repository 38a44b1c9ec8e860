// npm run demo
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, mkdirSync, openSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const folder = '.palimpsest/demo';
const book = 'examples/data/frankenstein.txt';
const chapter = 'Volume I, Chapter IV';

process.chdir(fileURLToPath(new URL('../../', import.meta.url)));

// The programs that run end themselves in order; this one waits for them.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});

/** Shows a command line as one would type it, and runs it. */
async function run(program: string, args: readonly string[], {out}: {readonly out?: string} = {}): Promise<boolean> {
  const typed = program === 'palimpsest' ? 'npx palimpsest' : `node dist/examples/${program}.js`;
  const words = args.map(arg => (/^[\w./-]+$/.test(arg) ? arg : `"${arg}"`));
  console.log(`\n$ ${[typed, ...words].join(' ')}${out === undefined ? '' : ` > ${out}`}`);
  const script = program === 'palimpsest' ? 'dist/cli/main.js' : `dist/examples/${program}.js`;
  const output = out === undefined ? 'inherit' : openSync(out, 'w');
  const child = spawn(process.execPath, [script, ...args], {stdio: ['ignore', output, 'inherit']});
  const [code] = (await once(child, 'close')) as [number | null];
  if (typeof output === 'number') closeSync(output);
  if (interrupted) process.exit(130);
  return code === 0;
}

/** Runs what the rest depends on. */
async function runOrEnd(...command: Parameters<typeof run>): Promise<void> {
  if (!(await run(...command))) process.exit(1);
}

mkdirSync(folder, {recursive: true});

console.log('An engine that computes fast:');
if (!(await run('palimpsest', ['native', 'install']))) {
  console.log('It cannot be installed, as said above: going on with the fastest engine that is there.');
}

const reading = ['-s', `${folder}/store`];

console.log('\nA book as one document, an embedding for each segment:');
await runOrEnd('palimpsest', ['embed', ...reading, '--every', 'segment', '-o', `${folder}/book.jsonl`, book]);

console.log('\nWhat is remembered of it, however long it was:');
await runOrEnd('palimpsest', ['inspect', '-s', `${folder}/store`, book]);

console.log('\nThe same book, each chapter a document:');
await runOrEnd('nearest-chapters', ['split', book], {out: `${folder}/chapters.jsonl`});
const chapters = ['--format', 'jsonl', '-o', `${folder}/chapter-results.jsonl`, `${folder}/chapters.jsonl`];
await runOrEnd('palimpsest', ['embed', ...reading, ...chapters]);
await runOrEnd('nearest-chapters', ['nearest', `${folder}/chapter-results.jsonl`, chapter]);

console.log('\nA log of four hosts, each a document, with three made-up incidents:');
await runOrEnd('generate-log', ['600'], {out: `${folder}/hosts.log`});
const hosts = ['--format', 'lines', '--id-field', '4', '--every', 'segment', '-o', `${folder}/log-results.jsonl`];
await runOrEnd('palimpsest', ['embed', ...reading, ...hosts, `${folder}/hosts.log`]);
await runOrEnd('unusual-lines', [`${folder}/log-results.jsonl`, `${folder}/hosts.log`, '4']);

const next = [
  [`npx palimpsest inspect -s ${folder}/store`, 'whose memories are kept'],
  ["npx palimpsest embed 'your/files/*.txt'", 'your own documents'],
  ['npx palimpsest train --help', 'a model of your own'],
  ['npx palimpsest doctor', 'what this machine computes with'],
] as const;
console.log(`
Next:
${next.map(([command, purpose]) => `  ${command.padEnd(54)}${purpose}`).join('\n')}`);
