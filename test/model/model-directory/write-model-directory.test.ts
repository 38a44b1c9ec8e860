import {copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import type {ModelConfig} from '../../../model/model-config.ts';
import {readModelDirectory} from '../../../model/model-directory/read-model-directory.ts';
import {writeModelDirectory} from '../../../model/model-directory/write-model-directory.ts';
import {initialiseWeights} from '../../../model/weights/initialise-weights.ts';

const fixture = fileURLToPath(new URL('../../../../test/fixtures/tokenizers/gpt-2.json', import.meta.url));

const config: ModelConfig = {
  segmentLength: 4,
  memoryLength: 4,
  compressedMemoryLength: 0,
  compressionRate: 2,
  compressor: 'mean-pool',
  layers: 1,
  heads: 1,
  modelWidth: 4,
  feedForwardWidth: 4,
  vocabularySize: 600,
};
const description = {name: 'x', config, trained: true, weights: initialiseWeights(config, 1)};

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

test('writeModelDirectory makes the folders on the way and leaves other files alone', async t => {
  const folder = join(await temporaryFolder(t), 'a', 'b');
  await mkdir(folder, {recursive: true});
  await writeFile(join(folder, 'README.md'), 'card');
  const length = await writeModelDirectory(folder, description);
  t.deepEqual((await readdir(folder)).sort(), ['README.md', 'config.json', 'model.safetensors']);
  t.is((await readFile(join(folder, 'model.safetensors'))).length, length);
});

test('writeModelDirectory replaces a model only if told so, its tokenizer included', async t => {
  const folder = await temporaryFolder(t);
  const tokenizers = await temporaryFolder(t);
  await copyFile(fixture, join(tokenizers, 'tokenizer.json'));
  await writeFile(join(tokenizers, 'tokenizer_config.json'), '{"model_max_length": 5}');
  await writeModelDirectory(folder, {...description, tokenizerPath: join(tokenizers, 'tokenizer.json')});
  t.deepEqual((await readdir(folder)).sort(), [
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  await t.throwsAsync(writeModelDirectory(folder, description), {
    instanceOf: ModelError,
    message: /must not hold one: current value is "config.json"/,
  });

  // Its own tokenizer, as when weights are trained on.
  await writeModelDirectory(folder, {...description, tokenizerPath: join(folder, 'tokenizer.json'), overwrite: true});
  t.deepEqual(await readFile(join(folder, 'tokenizer.json')), await readFile(fixture));
  t.is(await readFile(join(folder, 'tokenizer_config.json'), 'utf8'), '{"model_max_length": 5}');

  // A summary head of the weights that were there means nothing for others.
  await writeFile(join(folder, 'summary.safetensors'), '');
  await writeModelDirectory(folder, {...description, overwrite: true});
  t.deepEqual((await readdir(folder)).sort(), ['config.json', 'model.safetensors']);
  t.is((await readModelDirectory(folder)).tokenizer.vocabularySize, 256);
});

test('writeModelDirectory leaves no model when it fails half-way', async t => {
  const folder = await temporaryFolder(t);
  await writeModelDirectory(folder, description);
  // The weights cannot be put in place, as a folder is there.
  await rm(join(folder, 'model.safetensors'));
  await mkdir(join(folder, 'model.safetensors', 'x'), {recursive: true});
  await t.throwsAsync(writeModelDirectory(folder, {...description, overwrite: true}), {instanceOf: ModelError});
  await t.throwsAsync(readModelDirectory(folder), {
    instanceOf: ModelError,
    message: /config\.json" as it does not exist/,
  });
  t.deepEqual(await readdir(folder), ['model.safetensors']);
});

test('writeModelDirectory refuses parts that do not belong together before it writes anything', async t => {
  const folder = await temporaryFolder(t);
  const small = {...config, vocabularySize: 400};
  const less = {...config, vocabularySize: 255};
  const cases = [
    [{...description, config: {...config, layers: 0}}, RangeError, /layers must be a positive integer/],
    [
      {...description, config: {...config, layers: 2}},
      ModelError,
      /"layers.1.attention.normalisation.gain" must have shape/,
    ],
    [
      {...description, config: less, weights: initialiseWeights(less, 1)},
      ModelError,
      /at least 256 for the byte tokenizer/,
    ],
    [
      {...description, config: small, weights: initialiseWeights(small, 1), tokenizerPath: fixture},
      ModelError,
      /at least its 500 tokens: current value is 400/,
    ],
    [{...description, tokenizerPath: join(folder, 'no.json')}, ModelError, /no.json" as it does not exist/],
  ] as const;
  for (const [options, instanceOf, message] of cases) {
    await t.throwsAsync(writeModelDirectory(folder, options), {instanceOf, message});
  }
  t.deepEqual(await readdir(folder), []);
  const file = join(folder, 'file');
  await writeFile(file, '');
  await t.throwsAsync(writeModelDirectory(file, description), {instanceOf: ModelError, message: /EEXIST|ENOTDIR/});
});
