import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import type {Evaluation} from '../../training/evaluation/evaluate.ts';
import {parseTrainingConfig} from '../../training/parse-training-config.ts';
import {comparisonRunFiles} from './comparison-run-files.ts';
import type {comparisonTrainingConfig} from './comparison-training-config.ts';

export type CheckStoredRunOptions = {
  /** What the run would be trained with now. */
  readonly training: ReturnType<typeof comparisonTrainingConfig>;
  /** Tokens that would be read of each book at most. */
  readonly tokens: number;
};

/**
 * Checks that a run that was trained, or measured too, is what would be trained and measured now.
 *
 * @param folder The run's; may hold nothing yet.
 * @throws {RangeError} If it is another; says by what.
 */
export async function checkStoredRun(folder: string, {training, tokens}: CheckStoredRunOptions): Promise<void> {
  const files = comparisonRunFiles(folder);
  const started = existsSync(files.run) || existsSync(files.evaluation);
  if (!started || !existsSync(files.training)) return;
  const stored = parseTrainingConfig(JSON.parse(await readFile(files.training, 'utf8')));
  const asked = parseTrainingConfig(training);
  const differences = differencesOf({...stored, tokenizer: ''}, {...asked, tokenizer: ''});
  if (!(await isSameTokenizer(files.run, stored.tokenizer, asked.tokenizer))) {
    differences.push(`tokenizer is that of "${stored.tokenizer}" there and of "${asked.tokenizer}" now`);
  }
  if (differences.length > 0) {
    throw new RangeError(
      `Cannot compare as "${folder}" must hold a run with the configuration of now: ${differences.join('; ')}; give the options that it was made with, or another --out`,
    );
  }
  if (!existsSync(files.evaluation)) return;
  const evaluation = JSON.parse(await readFile(files.evaluation, 'utf8')) as Evaluation & {mostTokens?: number};
  const measured = evaluation.mostTokens ?? Math.max(...evaluation.documents.map(document => document.tokens));
  if (measured === tokens) return;
  throw new RangeError(
    `Cannot compare as "${files.evaluation}" must be of ${tokens} tokens of each book at most: current value is ${measured}; give --tokens ${measured}, or remove the file to measure anew`,
  );
}

/** Fields by dotted names, as far as two objects differ in them. */
function differencesOf(stored: object, asked: object, prefix = ''): string[] {
  const [there, now] = [new Map<string, unknown>(Object.entries(stored)), new Map(Object.entries(asked))];
  return [...new Set([...there.keys(), ...now.keys()])].flatMap(name => {
    const [was, is] = [there.get(name), now.get(name)];
    if (isDeepStrictEqual(was, is)) return [];
    if (isFields(was) && isFields(is)) return differencesOf(was, is, `${prefix}${name}.`);
    return [`${prefix}${name} is ${JSON.stringify(was)} there and ${JSON.stringify(is)} now`];
  });
}

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a tokenizer is the one of a run, wherever it lay then. */
async function isSameTokenizer(run: string, stored: string, asked: string): Promise<boolean> {
  const copy = join(run, 'last', 'tokenizer.json');
  if (!existsSync(copy) || !existsSync(asked)) return stored === asked;
  const [was, is] = await Promise.all([readFile(copy), readFile(asked)]);
  return was.equals(is);
}
