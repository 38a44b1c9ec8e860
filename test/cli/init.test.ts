import {mkdtemp, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {initCommand} from '../../cli/init.ts';
import {ModelError} from '../../errors.ts';
import {readModelDirectory} from '../../model/model-directory/read-model-directory.ts';

const fixture = fileURLToPath(new URL('../../../test/fixtures/tokenizers/gpt-2.json', import.meta.url));

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

/** Runs the command and gives what it printed. */
async function run(...args: string[]): Promise<string> {
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const command = initCommand({write}).exitOverride().configureOutput({writeOut: write, writeErr: write});
  await command.parseAsync(args, {from: 'user'});
  return printed;
}

test('initCommand makes the small model by default', async t => {
  const folder = join(await temporaryFolder(t), 'logs');
  const printed = await run(folder);
  const model = await readModelDirectory(folder);
  t.is(model.name, 'logs');
  t.false(model.trained);
  t.deepEqual(model.config, {
    segmentLength: 128,
    memoryLength: 256,
    compressedMemoryLength: 256,
    compressionRate: 4,
    compressor: 'convolution',
    layers: 6,
    heads: 4,
    modelWidth: 256,
    feedForwardWidth: 1024,
    vocabularySize: 256,
  });
  const parameters = [...model.weights.values()].reduce((sum, {data}) => sum + data.length, 0);
  t.true(printed.includes(`parameters  ${parameters.toLocaleString('en')}\n`), printed);
  const {size} = await stat(join(folder, 'model.safetensors'));
  t.true(printed.includes(`file size   ${(size / 1e6).toFixed(1)} MB (float32)\n`), printed);
  t.regex(printed, /until it is trained, its embeddings mean little/);
});

test('initCommand takes every size, the tokenizer, the type and the seed', async t => {
  const parent = await temporaryFolder(t);
  const options =
    '--preset tiny --layers 1 --heads 3 --width 12 --feed-forward 20 --segment 6 --memory 9 --compressed-memory 5 --rate 3 --compressor mean-pool --dtype bfloat16 --name keeper';
  const args = [...options.split(' '), '--tokenizer', fixture];
  t.regex(
    await run(join(parent, 'a'), ...args, '--seed', '7'),
    /network {5}1 layer, width 12, 3 heads, feed-forward 20/,
  );
  const model = await readModelDirectory(join(parent, 'a'));
  t.is(model.name, 'keeper');
  t.deepEqual(model.config, {
    segmentLength: 6,
    memoryLength: 9,
    compressedMemoryLength: 5,
    compressionRate: 3,
    compressor: 'mean-pool',
    layers: 1,
    heads: 3,
    modelWidth: 12,
    feedForwardWidth: 20,
    vocabularySize: 500,
  });
  t.true((await stat(join(parent, 'a', 'model.safetensors'))).size < 3 * 500 * 12 + 10_000);
  await run(join(parent, 'b'), ...args, '--seed', '7');
  await run(join(parent, 'c'), ...args, '--seed', '8');
  t.is((await readModelDirectory(join(parent, 'b'))).fingerprint, model.fingerprint);
  t.not((await readModelDirectory(join(parent, 'c'))).fingerprint, model.fingerprint);
});

test('initCommand replaces a model only with --force', async t => {
  const folder = await temporaryFolder(t);
  await run(folder, '--preset', 'tiny');
  const {fingerprint} = await readModelDirectory(folder);
  await t.throwsAsync(run(folder, '--preset', 'tiny', '--seed', '2'), {
    instanceOf: ModelError,
    message: /must not hold one/,
  });
  t.is((await readModelDirectory(folder)).fingerprint, fingerprint);
  await run(folder, '--preset', 'tiny', '--seed', '2', '--force');
  t.not((await readModelDirectory(folder)).fingerprint, fingerprint);
});

test('initCommand refuses sizes, names and files that cannot be used', async t => {
  const parent = await temporaryFolder(t);
  const folder = join(parent, 'model');
  await writeFile(join(parent, 'tokenizer.json'), '{}');
  await t.throwsAsync(run(folder, '--heads', '3'), {message: /modelWidth must be divisible by heads \(3\)/});
  await t.throwsAsync(run(folder, '--layers', 'two'), {message: /--layers.*whole number/});
  await t.throwsAsync(run(folder, '--memory', '-1'), {message: /--memory.*whole number/});
  await t.throwsAsync(run(folder, '--compressor', 'zip'), {message: /Allowed choices are mean-pool/});
  await t.throwsAsync(run(folder, '--preset', 'huge'), {message: /Allowed choices are tiny, small, base/});
  await t.throwsAsync(run(folder, '--tokenizer', join(parent, 'tokenizer.json')), {instanceOf: ModelError});
  await t.throwsAsync(run(), {message: /missing required argument/});
  await t.throwsAsync(readModelDirectory(folder), {message: /current value is missing/});
});

test('initCommand explains itself', t => {
  let help = '';
  initCommand()
    .configureOutput({
      writeOut: text => {
        help += text;
      },
    })
    .outputHelp();
  t.regex(help, /--compressed-memory <n_cm>/);
  t.regex(help, /Examples\n {2}palimpsest init models\/logs/);
});
