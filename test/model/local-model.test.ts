import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {ModelError, NumericalError} from '../../errors.ts';
import {CompressiveTransformer} from '../../model/compressive-transformer.ts';
import {compressorNames} from '../../model/compressor-name.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {LocalModel} from '../../model/local-model.ts';
import type {StepResult} from '../../model/model.ts';
import {smallConfig, smallModel, smallModelOptions} from './small-model.ts';

const n = smallConfig.segmentLength;

/** Segment `index` of document `document`: tokens that differ everywhere. */
function segment(document: number, index: number, length = n): Int32Array {
  return Int32Array.from({length}, (_, i) => (document * 7919 + index * 104729 + i * i * 31 + i * 7) % 256);
}

test.serial.before(async () => {
  await openEngine('native');
});

for (const compressor of compressorNames) {
  test.serial(`LocalModel gives a row the same bits in any batch: ${compressor}`, async t => {
    await using alone = smallModel({compressor});
    await using together = smallModel({compressor});
    // Documents of ages 0, 1, 3 and 8 segments.
    const ages = [0, 1, 3, 8];
    for (const [document, age] of ages.entries()) {
      for (let index = 0; index < age; index++) {
        const row = [{memory: `${document}`, tokens: segment(document, index)}];
        t.deepEqual(await alone.step(row), await together.step(row));
      }
    }
    for (let index = 8; index < 12; index++) {
      const rows = ages.map((_, document) => ({memory: `${document}`, tokens: segment(document, index)}));
      const expected: StepResult[] = [];
      for (const row of rows) expected.push(...(await alone.step([row])));
      t.deepEqual(await together.step(rows), expected);
      t.deepEqual(await together.snapshot(['0', '1', '2', '3']), await alone.snapshot(['0', '1', '2', '3']));
    }
  });

  test.serial(`LocalModel continues a restored memory to the bit: ${compressor}`, async t => {
    await using whole = smallModel({compressor});
    for (let index = 0; index < 8; index++) {
      await using resumed = smallModel({compressor});
      await resumed.restore('a', (await whole.snapshot(['a']))[0]!);
      const row = [{memory: 'a', tokens: segment(0, index)}];
      t.deepEqual(await resumed.step(row), await whole.step(row));
      t.deepEqual(await resumed.snapshot(['a']), await whole.snapshot(['a']));
    }
  });
}

for (const compile of [true, false]) {
  test.serial(
    `LocalModel gives a row the same bits at any place of any batch: ${compile ? '' : 'not '}compiled`,
    async t => {
      // Sizes whose rows processors take in other portions, or begin elsewhere, when they share a matrix.
      for (const sizes of [
        {},
        {segmentLength: 128, modelWidth: 64},
        {segmentLength: 24, modelWidth: 34, feedForwardWidth: 51},
        {segmentLength: 8, modelWidth: 34},
        {segmentLength: 4},
        {segmentLength: 1, compressionRate: 1},
        {segmentLength: 15, modelWidth: 34, feedForwardWidth: 51, memoryLength: 20, compressedMemoryLength: 9},
      ]) {
        const options = {...smallModelOptions({layers: 1, ...sizes}), compile};
        await using alone = new LocalModel(options);
        await using together = new LocalModel(options);
        const {segmentLength} = together.config;
        for (const [index, documents] of [
          [0, 1, 2, 3, 4, 5, 6, 7],
          [3],
          [7, 1, 0],
          [2, 3, 5, 4, 6],
          [0, 5],
          [6, 1, 2, 3, 4, 5],
        ].entries()) {
          const rows = documents.map((document, place) => ({
            memory: `${document}`,
            tokens: segment(document, index, place === 2 ? Math.max(1, segmentLength - 1) : segmentLength),
          }));
          const expected: StepResult[] = [];
          for (const row of rows) expected.push(...(await alone.step([row])));
          t.deepEqual(await together.step(rows), expected, `${JSON.stringify(sizes)}, step ${index}`);
        }
        const all = Array.from({length: 8}, (_, document) => `${document}`);
        t.deepEqual(await together.snapshot(all), await alone.snapshot(all), JSON.stringify(sizes));
      }
    },
  );
}

test.serial(
  'LocalModel keeps every memory of a step as it was when one row breaks, whichever batch it is in',
  async t => {
    const options = smallModelOptions();
    // Token 255 alone is broken.
    options.weights.get('embedding.weight')!.data.fill(Number.NaN, 255 * 32);
    await using model = new LocalModel(options);
    const keys = ['a', 'b', 'c', 'd', 'e'];
    // Five rows are a batch of four and one of one; what is not finite would reach all through the scores of next tokens.
    const rows = keys.map((memory, document) => ({memory, tokens: segment(document, 0).map(token => token % 200)}));
    await t.throwsAsync(model.step(rows), {instanceOf: NumericalError});
    for (const {memoryCount} of await model.snapshot(keys)) t.is(memoryCount, 0);
  },
);

test.serial('LocalModel compiles steps unless told not to', async t => {
  await using compiled = new LocalModel(smallModelOptions());
  await using eager = new LocalModel({...smallModelOptions(), compile: false});
  const row = [{memory: 'a', tokens: segment(0, 0)}];
  const [[fast], [slow]] = [await compiled.step(row), await eager.step(row)];
  for (const [i, bits] of fast!.surprisal.entries()) t.true(Math.abs(bits - slow!.surprisal[i]!) < 1e-4 * bits);
  // One call of TensorFlow instead of hundreds: the profiler of tfjs sees few operations.
  const operations = async (model: LocalModel) => {
    const {kernels} = await tf.profile(async () => {
      await model.step(row);
      return tf.scalar(0);
    });
    return kernels.length;
  };
  const [apart, together] = [await operations(eager), await operations(compiled)];
  t.true(together < 10 && apart > 2 * together, `${apart} operations, ${together} when compiled`);
});

test.serial('LocalModel leaves a memory as it was when a row is not full', async t => {
  await using model = smallModel();
  for (let index = 0; index < 4; index++) await model.step([{memory: 'a', tokens: segment(0, index)}]);
  const before = await model.snapshot(['a']);
  const [first] = await model.step([{memory: 'a', tokens: segment(0, 4, 5)}]);
  t.is(first!.surprisal.length, 5);
  t.deepEqual(await model.snapshot(['a']), before);
  // The unfilled row saw what a full row sees up to there.
  const [whole] = await model.step([{memory: 'a', tokens: segment(0, 4)}]);
  t.deepEqual(whole!.surprisal.subarray(0, 5), first!.surprisal);
});

test.serial('LocalModel steps full and unfilled rows of one call', async t => {
  await using model = smallModel();
  await using alone = smallModel();
  const rows = [
    {memory: 'a', tokens: segment(0, 0, 3)},
    {memory: 'b', tokens: segment(1, 0)},
    {memory: 'c', tokens: segment(2, 0, n - 1)},
  ];
  const expected: StepResult[] = [];
  for (const row of rows) expected.push(...(await alone.step([row])));
  t.deepEqual(await model.step(rows), expected);
  const [a, b] = await model.snapshot(['a', 'b']);
  t.is(a!.memoryCount, 0);
  t.is(b!.memoryCount, n);
});

test.serial('LocalModel forks a memory: the copy goes its own way', async t => {
  await using model = smallModel();
  await model.step([{memory: 'a', tokens: segment(0, 0)}]);
  await model.fork('a', 'copy');
  await model.step([{memory: 'copy', tokens: segment(0, 1)}]);
  await model.fork('empty', 'copy of empty');
  const [a, copy, empty] = await model.snapshot(['a', 'copy', 'copy of empty']);
  t.is(a!.memoryCount, n);
  t.is(copy!.memoryCount, 2 * n);
  t.is(empty!.memoryCount, 0);
});

test.serial('LocalModel copies memories out one by one, all at once and in any order', async t => {
  await using model = smallModel();
  const keys = ['a', 'b', 'c'];
  for (let index = 0; index < 4; index++) {
    // "c" is younger than the others.
    const rows = keys.slice(0, index < 2 ? 3 : 2).map((memory, i) => ({memory, tokens: segment(i, index)}));
    await model.step(rows);
    const each = [];
    for (const key of keys) each.push(...(await model.snapshot([key])));
    t.deepEqual(await model.snapshot(keys), each);
    t.deepEqual(await model.snapshot([...keys].reverse()), [...each].reverse());
  }
});

for (const engine of ['cpu', 'native'] as const) {
  test.serial(`LocalModel keeps a memory whatever is done to its copy: ${engine}`, async t => {
    await openEngine(engine);
    for (const layers of [1, 2]) {
      await using model = smallModel({layers});
      for (let index = 0; index < 4; index++) await model.step([{memory: 'a', tokens: segment(0, index)}]);
      const before = structuredClone(await model.snapshot(['a']));
      for (const {data} of Object.values((await model.snapshot(['a']))[0]!.tensors)) data.fill(Number.NaN);
      t.deepEqual(await model.snapshot(['a']), before);
    }
  });
}

test.serial('LocalModel never fills more slots than a memory has', async t => {
  for (const sizes of [
    {},
    {memoryLength: 8},
    {memoryLength: 0},
    {compressedMemoryLength: 0},
    {segmentLength: 15, compressionRate: 4},
  ]) {
    await using model = smallModel(sizes);
    const {memoryLength, compressedMemoryLength, segmentLength} = model.config;
    for (let index = 0; index < 12; index++) {
      await model.step([{memory: 'a', tokens: segment(0, index, segmentLength)}]);
      const {memoryCount, compressedMemoryCount} = (await model.snapshot(['a']))[0]!;
      t.true(memoryCount <= memoryLength && compressedMemoryCount <= compressedMemoryLength);
      t.true(index < 11 || compressedMemoryCount === compressedMemoryLength);
    }
  }
});

test.serial('LocalModel holds no more tensors after 10,000 steps than after the first', async t => {
  // The count is tfjs's own on any engine, and this one is the fastest with tensors as small as these.
  await openEngine('wasm');
  t.teardown(() => openEngine('native'));
  const tiny = {
    segmentLength: 4,
    memoryLength: 8,
    compressedMemoryLength: 4,
    layers: 1,
    modelWidth: 8,
    feedForwardWidth: 8,
  };
  await using model = smallModel({...tiny, vocabularySize: 16});
  const step = (index: number) =>
    model.step([
      {memory: 'a', tokens: Int32Array.from({length: 4}, (_, i) => (index + i) % 16)},
      // Joins and leaves, so that batches are gathered and taken apart too.
      ...(index % 3 === 0 ? [{memory: 'b', tokens: Int32Array.from({length: 4}, (_, i) => (index * i) % 16)}] : []),
    ]);
  for (let index = 0; index < 12; index++) await step(index);
  const steady = tf.memory().numTensors;
  const bytes = tf.memory().numBytes;
  for (let index = 12; index < 10_002; index++) await step(index);
  t.is(tf.memory().numTensors, steady);
  t.is(tf.memory().numBytes, bytes);
  await model.release(['a', 'b']);
});

test.serial('LocalModel frees every tensor when disposed', async t => {
  const before = tf.memory().numTensors;
  {
    await using model = smallModel();
    await model.step(['a', 'b', 'c'].map((memory, document) => ({memory, tokens: segment(document, 0)})));
    await model.fork('a', 'd');
    await model.release(['b']);
  }
  t.is(tf.memory().numTensors, before);
});

test.serial('LocalModel holds a session for each power of two of rows at most, and none when disposed', async t => {
  const {binding} = tf.backend() as unknown as {binding: {getNumOfSavedModels(): number}};
  const sessions = binding.getNumOfSavedModels();
  {
    await using model = smallModel();
    for (let rows = 1; rows <= 20; rows++) {
      await model.step(
        Array.from({length: rows}, (_, document) => ({memory: `${document}`, tokens: segment(document, rows)})),
      );
    }
    // 1, 2, 4, 8, 16 and 32.
    const held = binding.getNumOfSavedModels() - sessions;
    t.true(held >= 2 && held <= 6, `${held}`);
  }
  t.is(binding.getNumOfSavedModels(), sessions);
});

test.serial(
  'LocalModel throws NumericalError when a result is not finite, and its memories stay as they were',
  async t => {
    const options = smallModelOptions();
    const embedding = options.weights.get('embedding.weight')!;
    // Token 255 alone is broken.
    embedding.data.fill(Number.NaN, 255 * 32);
    await using model = new LocalModel(options);
    const good = segment(0, 0).map(token => token % 200);
    await t.throwsAsync(model.step([{memory: 'a', tokens: good}]), {instanceOf: NumericalError, message: /"a"/});
    const [snapshot] = await model.snapshot(['a']);
    t.is(snapshot!.memoryCount, 0);
  },
);

test.serial('LocalModel refuses rows it cannot step', async t => {
  await using model = smallModel();
  const step = (...rows: Int32Array[]) => model.step(rows.map(tokens => ({memory: 'a', tokens})));
  await t.throwsAsync(step(new Int32Array(0)), {instanceOf: RangeError, message: /1 to 16 tokens: current value is 0/});
  await t.throwsAsync(step(new Int32Array(17)), {instanceOf: RangeError, message: /current value is 17/});
  await t.throwsAsync(step(Int32Array.of(256)), {instanceOf: RangeError, message: /0 to 255: current value is 256/});
  await t.throwsAsync(step(Int32Array.of(-1)), {instanceOf: RangeError});
  await t.throwsAsync(step(new Int32Array(1), new Int32Array(1)), {instanceOf: RangeError, message: /"a" has two/});
});

test.serial('CompressiveTransformer refuses sizes that do not go together, and missing weights', t => {
  t.throws(() => smallModel({modelWidth: 33}), {instanceOf: RangeError, message: /modelWidth must be even/});
  const {config, weights} = smallModelOptions();
  const incomplete = new Map(weights);
  incomplete.delete('layers.1.attention.key.weight');
  t.throws(() => new CompressiveTransformer(config, incomplete), {
    instanceOf: ModelError,
    message: /"layers.1.attention.key.weight"/,
  });
});

test.serial('LocalModel gives the mean of compressed rows, whatever batch a memory is in', async t => {
  await using model = smallModel();
  t.deepEqual(await model.meanCompressed(['unknown']), [new Float32Array()]);
  for (let index = 0; index < 6; index++) {
    await model.step(['a', 'b', 'c'].map((memory, document) => ({memory, tokens: segment(document, index)})));
    await model.step([{memory: 'alone', tokens: segment(1, index)}]);
    if (index === 1) t.deepEqual(await model.meanCompressed(['a', 'b']), [new Float32Array(), new Float32Array()]);
    if (index === 2) await model.fork('b', 'early');
  }
  const keys = ['alone', 'c', 'b', 'early'];
  const means = await model.meanCompressed(keys);
  t.deepEqual(means[0], means[2]);
  t.notDeepEqual(means[1], means[2]);
  const {layers, modelWidth: d} = smallConfig;
  for (const [i, {compressedMemoryCount: count, tensors}] of (await model.snapshot(keys)).entries()) {
    const {shape, data} = tensors.compressedMemory!;
    t.deepEqual(shape, [layers, count, d]);
    t.is(count, i === 3 ? 4 : 16);
    for (let layer = 0; layer < layers; layer++) {
      for (let j = 0; j < d; j++) {
        const column = Array.from({length: count}, (_, slot) => data[(layer * count + slot) * d + j]!);
        const mean = column.reduce((sum, value) => sum + value, 0) / count;
        t.true(Math.abs(means[i]![layer * d + j]! - mean) < 1e-6);
      }
    }
  }
});
