import {copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import type {ModelConfig} from '../../../model/model-config.ts';
import {readModelDirectory} from '../../../model/model-directory/read-model-directory.ts';
import {writeModelDirectory} from '../../../model/model-directory/write-model-directory.ts';
import {writeSummaryHead} from '../../../model/summary/write-summary-head.ts';
import {initialiseWeights} from '../../../model/weights/initialise-weights.ts';
import {readSafetensors} from '../../../model/weights/read-safetensors.ts';
import {type WritableTensor, writeSafetensors} from '../../../model/weights/write-safetensors.ts';
import {randomSummaryHead} from '../summary/random-summary-head.ts';

const fixture = fileURLToPath(new URL('../../../../test/fixtures/tokenizers/gpt-2.json', import.meta.url));

const config: ModelConfig = {
  segmentLength: 8,
  memoryLength: 8,
  compressedMemoryLength: 4,
  compressionRate: 4,
  compressor: 'convolution',
  layers: 2,
  heads: 2,
  modelWidth: 8,
  feedForwardWidth: 16,
  vocabularySize: 256,
};
const description = {name: 'keeper', config, trained: false, weights: initialiseWeights(config, 1)};

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

/** A folder with a model in it. */
async function modelFolder(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeModelDirectory(folder, description);
  return folder;
}

async function changeConfig(folder: string, change: Record<string, unknown>): Promise<void> {
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify({...JSON.parse(await readFile(path, 'utf8')), ...change}));
}

async function changeWeights(folder: string, change: (weights: Map<string, WritableTensor>) => void): Promise<void> {
  const weights = new Map<string, WritableTensor>(description.weights);
  change(weights);
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
}

test('readModelDirectory reads what writeModelDirectory wrote', async t => {
  const folder = await modelFolder(t);
  const model = await readModelDirectory(folder);
  t.is(model.name, 'keeper');
  t.false(model.trained);
  t.deepEqual(model.config, config);
  t.deepEqual(new Map([...model.weights].sort()), new Map([...description.weights].sort()));
  t.is(model.tokenizer.vocabularySize, 256);
  t.regex(model.fingerprint, /^[0-9a-f]{16}$/);
  t.deepEqual((await readdir(folder)).sort(), ['config.json', 'model.safetensors']);
});

test('readModelDirectory reads config.json with the names of Transformers', async t => {
  const folder = await modelFolder(t);
  t.deepEqual(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')), {
    model_type: 'compressive-transformer',
    architectures: ['CompressiveTransformer'],
    name: 'keeper',
    trained: false,
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 16,
    vocab_size: 256,
    segment_length: 8,
    mem_len: 8,
    cmem_len: 4,
    compression_rate: 4,
    compressor: 'convolution',
    tokenizer: 'byte',
  });
  await changeConfig(folder, {transformers_version: '4.0', trained: true});
  t.true((await readModelDirectory(folder)).trained);
});

test('readModelDirectory widens half precision, each value to the nearest that the file holds', async t => {
  for (const [floatType, precision] of [
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
  ] as const) {
    const folder = await temporaryFolder(t);
    await writeModelDirectory(folder, {...description, floatType});
    const {weights} = await readModelDirectory(folder);
    const {data} = description.weights.get('embedding.weight')!;
    const narrow = weights.get('embedding.weight')!.data;
    t.true(narrow instanceof Float32Array);
    t.true(data.every((value, i) => Math.abs(narrow[i]! - value) <= precision * Math.abs(value) + 2 ** -25));
    t.notDeepEqual(narrow, data);
  }
});

test('readModelDirectory reads a model with a tokenizer.json', async t => {
  const folder = await temporaryFolder(t);
  const larger = {...config, vocabularySize: 512};
  await writeModelDirectory(folder, {
    ...description,
    config: larger,
    weights: initialiseWeights(larger, 1),
    tokenizerPath: fixture,
  });
  const {tokenizer} = await readModelDirectory(folder);
  t.is(tokenizer.vocabularySize, 500);
  t.is(tokenizer.decode(tokenizer.push(new Uint8Array(), Buffer.from('the log'), true).ids), 'the log');
  await rm(join(folder, 'tokenizer.json'));
  await t.throwsAsync(readModelDirectory(folder), {
    instanceOf: ModelError,
    message: /tokenizer\.json" as it does not exist/,
  });
});

test('readModelDirectory gives a fingerprint that depends on content only', async t => {
  const folder = await modelFolder(t);
  const {fingerprint} = await readModelDirectory(folder);
  const path = join(folder, 'config.json');
  const original = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify(Object.fromEntries(Object.entries(original).reverse())));
  t.is((await readModelDirectory(folder)).fingerprint, fingerprint, 'order of keys');

  // The same tensors with the first ones last in the file, which the writer never does.
  const {tensors} = await readSafetensors(join(folder, 'model.safetensors'));
  let offset = 0;
  const header: Record<string, unknown> = {};
  const data: Uint8Array[] = [];
  for (const [name, {type, shape, data: values}] of [...tensors].reverse()) {
    header[name] = {dtype: type, shape, data_offsets: [offset, offset + values.byteLength]};
    offset += values.byteLength;
    data.push(new Uint8Array(values.buffer));
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat([length, json, ...data]));
  t.is((await readModelDirectory(folder)).fingerprint, fingerprint, 'layout of the file');

  await changeConfig(folder, {name: 'other', trained: true});
  t.is((await readModelDirectory(folder)).fingerprint, fingerprint, 'name');

  const fingerprints = new Set([fingerprint]);
  await changeConfig(folder, {segment_length: 16});
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  await changeConfig(folder, {segment_length: 8});
  await changeWeights(folder, weights => {
    const gain = weights.get('final_normalisation.gain')!;
    weights.set('final_normalisation.gain', {
      ...gain,
      data: Float32Array.from(gain.data as Float32Array, (v, i) => (i === 7 ? 1.5 : v)),
    });
  });
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  await writeModelDirectory(folder, {...description, floatType: 'BF16', overwrite: true});
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  const wide = {...config, vocabularySize: 512};
  const wideWeights = initialiseWeights(wide, 1);
  await writeModelDirectory(folder, {...description, config: wide, weights: wideWeights, overwrite: true});
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  await writeModelDirectory(folder, {
    ...description,
    config: wide,
    weights: wideWeights,
    tokenizerPath: fixture,
    overwrite: true,
  });
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  t.is(fingerprints.size, 6);
});

const damages: readonly [string, (folder: string) => Promise<unknown>, RegExp][] = [
  [
    'a missing folder',
    folder => rm(folder, {recursive: true}).then(() => writeFile(folder, '')),
    /must be a folder: current value is a file/,
  ],
  [
    'a missing config.json',
    folder => rm(join(folder, 'config.json')),
    /config\.json" as it does not exist; it is no model, or one that was not written to the end.*init --force/,
  ],
  ['a truncated config.json', folder => truncate(join(folder, 'config.json'), 40), /config\.json" as it must be JSON/],
  ['a config.json that is no object', folder => writeFile(join(folder, 'config.json'), '[]'), /must be an object/],
  [
    'another type of model',
    folder => changeConfig(folder, {model_type: 'gpt2'}),
    /model_type must be "compressive-transformer": current value is "gpt2"/,
  ],
  [
    'a missing size',
    folder => changeConfig(folder, {mem_len: undefined}),
    /mem_len must be zero or a positive integer: current value is undefined/,
  ],
  [
    'a size of zero',
    folder => changeConfig(folder, {segment_length: 0}),
    /segment_length must be a positive integer: current value is 0/,
  ],
  [
    'sizes that do not fit',
    folder => changeConfig(folder, {num_attention_heads: 3}),
    /hidden_size must be divisible by num_attention_heads \(3\)/,
  ],
  ['an unknown compressor', folder => changeConfig(folder, {compressor: 'zip'}), /compressor must be one of/],
  [
    'an unknown tokenizer',
    folder => changeConfig(folder, {tokenizer: 'words'}),
    /tokenizer must be "byte" or absent: current value is "words"/,
  ],
  ['a missing name', folder => changeConfig(folder, {name: ''}), /name must be a string/],
  ['trained that is no boolean', folder => changeConfig(folder, {trained: 'no'}), /trained must be true or false/],
  [
    'a vocabulary smaller than the tokenizer',
    folder => changeConfig(folder, {vocab_size: 255}),
    /vocab_size must be at least the 256 tokens .*: current value is 255/,
  ],
  ['missing weights', folder => rm(join(folder, 'model.safetensors')), /model\.safetensors" as it does not exist/],
  ['truncated weights', folder => truncate(join(folder, 'model.safetensors'), 5000), /truncated/],
  [
    'weights of another size',
    folder => changeConfig(folder, {intermediate_size: 32}),
    /"layers\.0\.feed_forward\.inner\.weight" must have shape \[8,32\]: current value is \[8,16\]/,
  ],
  [
    'a missing weight',
    folder => changeWeights(folder, w => w.delete('layers.1.compressor.weight')),
    /"layers\.1\.compressor\.weight" must have shape \[4,8,8\]: current value is missing/,
  ],
  [
    'a weight too many',
    folder => changeWeights(folder, w => w.set('extra', {shape: [1], data: Float32Array.of(1)})),
    /no other weights .*: current value is "extra"/,
  ],
  [
    'a weight with more axes',
    folder => changeWeights(folder, w => w.set('final_normalisation.gain', {shape: [8, 1], data: new Float32Array(8)})),
    /\[8\]: current value is \[8,1\]/,
  ],
  [
    'a weight of integers',
    folder => changeWeights(folder, w => w.set('final_normalisation.gain', {shape: [8], data: new Int32Array(8)})),
    /must be F32, F16 or BF16: current value is I32/,
  ],
  [
    'a weight that is not finite',
    folder =>
      changeWeights(folder, w =>
        w.set('final_normalisation.bias', {shape: [8], data: new Float32Array(8).fill(Number.NaN, 3)}),
      ),
    /"final_normalisation\.bias" must be finite: current value is NaN at 3/,
  ],
];
for (const [name, damage, message] of damages) {
  test(`readModelDirectory refuses ${name}`, async t => {
    const folder = await modelFolder(t);
    await damage(folder);
    const error = await t.throwsAsync(readModelDirectory(folder), {instanceOf: ModelError});
    t.regex(error.message, message);
    t.true(error.message.includes(folder), error.message);
  });
}

test('readModelDirectory refuses a path where nothing is', async t => {
  const path = join(await temporaryFolder(t), 'no');
  await t.throwsAsync(readModelDirectory(path), {
    instanceOf: ModelError,
    message: /must be a folder: current value is missing; make a model with "palimpsest init"/,
  });
});

test('readModelDirectory refuses a damaged tokenizer.json', async t => {
  const folder = await modelFolder(t);
  await changeConfig(folder, {tokenizer: undefined});
  await copyFile(fixture, join(folder, 'tokenizer.json'));
  await t.throwsAsync(readModelDirectory(folder), {instanceOf: ModelError, message: /at least the 500 tokens/});
  await truncate(join(folder, 'tokenizer.json'), 1000);
  await t.throwsAsync(readModelDirectory(folder), {
    instanceOf: ModelError,
    message: /tokenizer\.json" as it must be JSON/,
  });
});

test('readModelDirectory reads a summary head, which makes another fingerprint', async t => {
  const folder = await modelFolder(t);
  const {fingerprint} = await readModelDirectory(folder);
  const path = join(folder, 'summary.safetensors');
  const head = randomSummaryHead({width: 8});
  await writeSummaryHead(path, head, {model: fingerprint, floatType: 'F32'});
  const model = await readModelDirectory(folder);
  t.deepEqual(model.summary?.lexical.weights, head.lexical.weights);
  t.regex(model.fingerprint, /^[0-9a-f]{16}$/);
  const fingerprints = new Set([fingerprint, model.fingerprint]);
  await writeSummaryHead(path, head, {model: fingerprint, floatType: 'F16'});
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  const shares = {lexical: 0.5, sketch: 0.5, transformer: 0};
  await writeSummaryHead(path, randomSummaryHead({width: 8, shares}), {model: fingerprint, floatType: 'F32'});
  fingerprints.add((await readModelDirectory(folder)).fingerprint);
  t.is(fingerprints.size, 4);

  const without = await readModelDirectory(folder, {withoutSummary: true});
  t.is(without.fingerprint, fingerprint);
  t.is(without.summary, undefined);
});

test('readModelDirectory refuses a summary head of other weights or sizes', async t => {
  const folder = await modelFolder(t);
  const {fingerprint} = await readModelDirectory(folder);
  const path = join(folder, 'summary.safetensors');
  for (const [head, model, message] of [
    [randomSummaryHead({width: 8}), 'abc', /trained with model [0-9a-f]{16}: current value is abc; train it again/],
    [randomSummaryHead({width: 4}), fingerprint, /256 tokens and a width of 8: current values are 256 and 4/],
    [randomSummaryHead({width: 8, vocabularySize: 255}), fingerprint, /current values are 255 and 8/],
    [randomSummaryHead({width: 8, layers: 3}), fingerprint, /24 features: current value is 32/],
  ] as const) {
    await writeSummaryHead(path, head, {model});
    await t.throwsAsync(readModelDirectory(folder), {instanceOf: ModelError, message});
  }
});
