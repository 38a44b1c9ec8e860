import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {checkStoredRun} from '../../../bench/comparison/check-stored-run.ts';
import {comparisonRuns} from '../../../bench/comparison/comparison-runs.ts';
import {comparisonTrainingConfig} from '../../../bench/comparison/comparison-training-config.ts';

const run = comparisonRuns[0]!;
const tokens = 1000;

/** The folder of a run that was trained and measured, and its configuration. */
async function storedRun(t: ExecutionContext, evaluation: object = {documents: [{tokens: 90}, {tokens}]}) {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const tokenizer = join(folder, 'tokenizer.json');
  const training = comparisonTrainingConfig(run, {tokenizer, steps: 3000});
  await mkdir(join(folder, 'run', 'last'), {recursive: true});
  await writeFile(tokenizer, '{}');
  await writeFile(join(folder, 'run', 'last', 'tokenizer.json'), '{}');
  await writeFile(join(folder, 'training.json'), JSON.stringify(training));
  await writeFile(join(folder, 'evaluation.json'), JSON.stringify(evaluation));
  return {folder, training};
}

test('checkStoredRun() takes a run with the configuration of now, or none', async t => {
  const {folder, training} = await storedRun(t);
  await t.notThrowsAsync(checkStoredRun(folder, {training, tokens}));
  await t.notThrowsAsync(checkStoredRun(join(folder, 'none'), {training, tokens}));
});

test('checkStoredRun() takes a configuration that says the same by defaults, and a tokenizer that lies elsewhere', async t => {
  const {folder, training} = await storedRun(t);
  const written = {...training, microBatch: training.batch, tokenizer: '/elsewhere/tokenizer.json'};
  await writeFile(join(folder, 'training.json'), JSON.stringify(written));
  await t.notThrowsAsync(checkStoredRun(folder, {training, tokens}));
});

test('checkStoredRun() refuses a run of other steps, sizes or tokenizer, and says what differs', async t => {
  const {folder, training} = await storedRun(t);
  const other = {...training, steps: 12_000, model: {...training.model, layers: 5}};
  await t.throwsAsync(checkStoredRun(folder, {training: other, tokens}), {
    instanceOf: RangeError,
    message:
      /^Cannot compare as ".+" must hold a run .+: model\.layers is 4 there and 5 now; steps is 3000 there and 12000 now; give /,
  });
  await writeFile(training.tokenizer, '{"other": 1}');
  await t.throwsAsync(checkStoredRun(folder, {training, tokens}), {message: /: tokenizer is that of /});
});

test('checkStoredRun() refuses a run that was stopped, too', async t => {
  const {folder, training} = await storedRun(t);
  await rm(join(folder, 'evaluation.json'));
  await t.notThrowsAsync(checkStoredRun(folder, {training, tokens}));
  await t.throwsAsync(checkStoredRun(folder, {training: {...training, seed: 2}, tokens}), {message: /seed is 1 there/});
  await rm(join(folder, 'run'), {recursive: true});
  await t.notThrowsAsync(checkStoredRun(folder, {training: {...training, seed: 2}, tokens}));
});

test('checkStoredRun() refuses a measurement of other tokens', async t => {
  for (const evaluation of [undefined, {mostTokens: tokens, documents: [{tokens: 90}]}]) {
    const {folder, training} = await storedRun(t, evaluation);
    await t.notThrowsAsync(checkStoredRun(folder, {training, tokens}));
    await t.throwsAsync(checkStoredRun(folder, {training, tokens: 500}), {
      instanceOf: RangeError,
      message: /must be of 500 tokens of each book at most: current value is 1000; give --tokens 1000, or remove/,
    });
  }
});
