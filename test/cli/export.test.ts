import {mkdtemp, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {exportCommand} from '../../cli/export.ts';
import {initCommand} from '../../cli/init.ts';
import {ModelError} from '../../errors.ts';
import {readModelDirectory} from '../../model/model-directory/read-model-directory.ts';
import {writeSummaryHead} from '../../model/summary/write-summary-head.ts';
import {randomSummaryHead} from '../model/summary/random-summary-head.ts';

const tokenizer = fileURLToPath(new URL('../../../test/fixtures/tokenizers/gpt-2.json', import.meta.url));

/** A folder with a tiny model in `model`. */
async function folderWithModel(t: ExecutionContext, ...options: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const init = initCommand({write: () => {}});
  await init.parseAsync([join(folder, 'model'), '--preset', 'tiny', ...options], {from: 'user'});
  return folder;
}

async function run(...args: string[]): Promise<string> {
  let printed = '';
  const command = exportCommand({
    write: text => {
      printed += text;
    },
  });
  await command.parseAsync(args, {from: 'user'});
  return printed;
}

test('exportCommand halves the bytes of weights and keeps the rest of a model', async t => {
  const folder = await folderWithModel(t, '--tokenizer', tokenizer);
  const printed = await run('--model', join(folder, 'model'), join(folder, 'small'));
  const [model, small] = await Promise.all([
    readModelDirectory(join(folder, 'model')),
    readModelDirectory(join(folder, 'small')),
  ]);
  t.is(small.name, 'small');
  t.deepEqual(small.config, model.config);
  t.is(small.trained, model.trained);
  t.is(small.tokenizer.fingerprint, model.tokenizer.fingerprint);
  for (const [name, {data}] of model.weights) {
    const rounded = small.weights.get(name)!.data as Float32Array;
    t.true(
      (data as Float32Array).every(
        (value, index) => Math.abs(rounded[index]! - value) <= Math.abs(value) / 2048 + 6e-8,
      ),
      name,
    );
  }
  const [before, after] = await Promise.all(
    ['model', 'small'].map(name => stat(join(folder, name, 'model.safetensors'))),
  );
  t.true(after!.size < 0.51 * before!.size);
  t.true(printed.endsWith(`${(after!.size / 1e6).toFixed(1)} MB (float16)\n`), printed);
});

test('exportCommand keeps every bit in float32, and the byte tokenizer', async t => {
  const folder = await folderWithModel(t);
  await run('--model', join(folder, 'model'), '--dtype', 'float32', '--name', 'other', join(folder, 'copy'));
  const [model, copy] = await Promise.all([
    readModelDirectory(join(folder, 'model')),
    readModelDirectory(join(folder, 'copy')),
  ]);
  t.is(copy.name, 'other');
  t.is(copy.fingerprint, model.fingerprint);
});

for (const [dtype, floatType] of [
  ['float16', 'F16'],
  ['bfloat16', 'F16'],
  ['float32', 'F16'],
  ['float32', 'F32'],
] as const) {
  test(`exportCommand copies a summary head of ${floatType} beside weights of ${dtype}, for the model that it makes`, async t => {
    const folder = await folderWithModel(t);
    const [model, copy] = [join(folder, 'model'), join(folder, 'copy')];
    const {fingerprint} = await readModelDirectory(model);
    const head = join(model, 'summary.safetensors');
    await writeSummaryHead(head, randomSummaryHead({width: 64}), {model: fingerprint, floatType});
    t.true((await run('--model', model, '--dtype', dtype, copy)).endsWith('), with its summary head\n'));
    const [original, copied] = await Promise.all([readModelDirectory(model), readModelDirectory(copy)]);
    t.deepEqual(copied.summary, original.summary);
    t.is(copied.fingerprint === original.fingerprint, dtype === 'float32');
  });
}

test('exportCommand replaces a model with its summary head', async t => {
  const folder = await folderWithModel(t);
  const [model, copy] = [join(folder, 'model'), join(folder, 'copy')];
  await run('--model', model, copy);
  const {fingerprint} = await readModelDirectory(copy);
  await writeSummaryHead(join(copy, 'summary.safetensors'), randomSummaryHead({width: 64}), {model: fingerprint});
  await run('--model', model, '--force', copy);
  t.is((await readModelDirectory(copy)).summary, undefined);
});

test('exportCommand replaces a model only when told to, and never the one it reads', async t => {
  const folder = await folderWithModel(t);
  const model = join(folder, 'model');
  await run('--model', model, join(folder, 'copy'));
  await t.throwsAsync(run('--model', model, join(folder, 'copy')), {
    instanceOf: ModelError,
    message: /choose another folder/,
  });
  await t.notThrowsAsync(run('--model', model, '--force', join(folder, 'copy')));
  await t.throwsAsync(run('--model', model, '--force', join(folder, 'copy', '..', 'model')), {
    instanceOf: RangeError,
    message: /must be another/,
  });
});
