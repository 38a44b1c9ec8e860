import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import type {Evaluation} from '../../training/evaluation/evaluate.ts';
import {wholeNumberOption} from '../whole-number-option.ts';
import {checkStoredRun} from './check-stored-run.ts';
import {type ComparisonRun, runName} from './comparison-run.ts';
import {comparisonRunFiles} from './comparison-run-files.ts';
import {comparisonRuns} from './comparison-runs.ts';
import {comparisonTables} from './comparison-tables.ts';
import {comparisonTrainingConfig} from './comparison-training-config.ts';

const help = `Usage: npm run compare -- --data <paths...> --books <paths...> --tokenizer <file> --out <folder>

Trains and measures all systems, compressors and losses on the same data, tokens and seeds, one run after another, and prints tables of
what has been measured. Goes on where it was stopped; refuses runs that are there with another configuration.

  --data <path>        documents to train on; a pattern, may be repeated
  --books <path>       documents to measure by, none of them trained on; a pattern, may be repeated
  --tokenizer <file>   tokenizer.json of all runs
  --out <folder>       a folder for each run
  --steps <number>     of training (default: 3000)
  --tokens <number>    tokens to read of each book at most (default: 131072)
  --only <text>        runs whose names contain this; may be repeated
  --list               print the names of all runs
  --tables             print the tables of the runs that are there
  --help               print this`;

const command = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

const {values} = parseArgs({
  options: {
    data: {type: 'string', multiple: true, default: []},
    books: {type: 'string', multiple: true, default: []},
    tokenizer: {type: 'string', default: ''},
    out: {type: 'string', default: ''},
    steps: {type: 'string', default: '3000'},
    tokens: {type: 'string', default: '131072'},
    only: {type: 'string', multiple: true, default: ['']},
    list: {type: 'boolean', default: false},
    tables: {type: 'boolean', default: false},
    help: {type: 'boolean', default: false},
  },
});
const runs = comparisonRuns.filter(run => values.only.some(text => runName(run).includes(text)));
const folderOf = (run: ComparisonRun) => join(values.out, runName(run));

try {
  if (values.help) console.log(help);
  else if (values.list) console.log(runs.map(runName).join('\n'));
  else {
    if (!values.tables) await trainAll();
    await printTables();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function trainAll(): Promise<void> {
  for (const option of ['data', 'books', 'tokenizer', 'out'] as const) {
    if (values[option].length === 0) throw new TypeError(`Cannot compare as --${option} must be given: it is missing`);
  }
  if (runs.length === 0) throw new RangeError(`Cannot compare as --only must name runs: none has "${values.only}"`);
  const tokens = wholeNumberOption('--tokens', values.tokens);
  const steps = wholeNumberOption('--steps', values.steps);
  const configOf = (run: ComparisonRun) => comparisonTrainingConfig(run, {tokenizer: resolve(values.tokenizer), steps});
  // All of them first: hours of training should not end at a run that is refused.
  for (const run of runs) await checkStoredRun(folderOf(run), {training: configOf(run), tokens});
  for (const [index, run] of runs.entries()) {
    const files = comparisonRunFiles(folderOf(run));
    if (existsSync(files.evaluation)) continue;
    console.error(`${index + 1}/${runs.length}: ${runName(run)}`);
    await mkdir(folderOf(run), {recursive: true});
    await writeFile(files.training, `${JSON.stringify(configOf(run), undefined, 2)}\n`);
    const resume = existsSync(files.run) ? ['--resume'] : [];
    await palimpsest(['train', '--data', ...values.data, '--config', files.training, '--out', files.run, ...resume]);
    const evaluate = ['evaluate', '--model', join(files.run, 'last'), '--gutenberg', '--tokens', values.tokens];
    await palimpsest([...evaluate, '--data', ...values.books, '--out', files.evaluation]);
  }
}

async function printTables(): Promise<void> {
  const measured = [];
  for (const run of runs) {
    const file = comparisonRunFiles(folderOf(run)).evaluation;
    if (!existsSync(file)) continue;
    measured.push({run, evaluation: JSON.parse(await readFile(file, 'utf8')) as Evaluation});
  }
  console.log(comparisonTables(measured));
}

async function palimpsest(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [command, ...args], {stdio: ['ignore', 'ignore', 'inherit']});
  const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('exit', done));
  if (code !== 0) throw new Error(`Stopped as "palimpsest ${args[0]}" ended with code ${code}`);
}
