import {readFileSync} from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {hasBfloat16} from '../../bench/has-bfloat16.ts';
import {EngineUnavailableError} from '../../errors.ts';
import {CompressiveTransformer} from '../../model/compressive-transformer.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {favoursBfloat16} from '../../model/engine/favours-bfloat16.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import type {Precision} from '../../model/precision.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';

/** The smaller configuration of the benchmarks, with bytes as tokens. */
const config: ModelConfig = {
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
};

const bfloat16 = hasBfloat16();

test.serial.before(async () => {
  await openEngine('native');
});

/** Reads the beginning of a book; gives its mean surprisal in bits, and the mean of its final hidden vectors. */
function readBook(precision: Precision): {bits: number; embedding: Float32Array} {
  const {segmentLength: n} = config;
  const text = readFileSync(new URL('../../../examples/data/frankenstein.txt', import.meta.url)).subarray(0, 16 * n);
  const model = new CompressiveTransformer(config, initialiseWeights(config, 1), {precision});
  let memory = model.emptyMemory(1);
  let bits = 0;
  const embedding = new Float32Array(config.modelWidth);
  for (let start = 0; start < text.length; start += n) {
    const tokens = tf.tensor2d(Int32Array.from(text.subarray(start, start + n)), [1, n], 'int32');
    const {hidden, surprisal, memory: after} = model.step(tokens, memory);
    for (const surprise of surprisal.dataSync()) bits += surprise;
    for (const [index, value] of hidden.dataSync().entries()) embedding[index % config.modelWidth]! += value;
    disposeTensors([tokens, hidden, surprisal, memory]);
    memory = after!;
  }
  disposeTensors(memory);
  model[Symbol.dispose]();
  return {bits: bits / text.length, embedding};
}

/** What `auto` takes on this machine. */
function precisionChosen(): Precision {
  using model = new CompressiveTransformer(config, initialiseWeights(config, 1), {precision: 'auto'});
  return model.precision;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return product / Math.sqrt(aa * bb);
}

test.serial(
  'CompressiveTransformer in bfloat16 moves bits per byte by less than 0.005 and keeps the embedding, or is refused',
  t => {
    if (!bfloat16) {
      t.throws(() => readBook('bfloat16'), {instanceOf: EngineUnavailableError, message: /AVX512-BF16: use float32$/});
      t.is(precisionChosen(), 'float32');
      return;
    }
    t.is(precisionChosen(), favoursBfloat16() ? 'bfloat16' : 'float32');
    const exact = readBook('float32');
    const rounded = readBook('bfloat16');
    const difference = Math.abs(rounded.bits - exact.bits);
    t.true(difference < 0.005, `bits per byte: ${exact.bits} and ${rounded.bits}`);
    t.not(difference, 0, 'bfloat16 rounds');
    const similarity = cosine(exact.embedding, rounded.embedding);
    t.true(similarity > 0.999, `cosine ${similarity}`);
    t.is(tf.memory().numTensors, 0);
  },
);

for (const [name, sizes] of Object.entries({
  'of the benchmarks': {},
  'that fill no vector': {
    modelWidth: 66,
    heads: 3,
    feedForwardWidth: 150,
    vocabularySize: 517,
    segmentLength: 51,
    memoryLength: 85,
  },
  'of wide heads': {modelWidth: 160, heads: 2, segmentLength: 64, memoryLength: 64, compressedMemoryLength: 16},
} satisfies Record<string, Partial<ModelConfig>>)) {
  test.serial(
    `CompressiveTransformer gives the same with fused and composed kernels, and nearly so in bfloat16, at sizes ${name}`,
    t => {
      const sized = {...config, layers: 2, ...sizes};
      const run = (fused: boolean, precision: Precision = 'float32') => {
        const model = new CompressiveTransformer(sized, initialiseWeights(sized, 2), {fused, precision});
        let memory = model.emptyMemory(3);
        const values: Float32Array[] = [];
        for (let step = 0; step < 5; step++) {
          const tokens = tf.tensor2d(
            Int32Array.from({length: 3 * sized.segmentLength}, (_, i) => (i * 31 + step * 7) % sized.vocabularySize),
            [3, sized.segmentLength],
            'int32',
          );
          const {hidden, surprisal, memory: after} = model.step(tokens, memory);
          values.push(hidden.dataSync() as Float32Array, surprisal.dataSync() as Float32Array);
          disposeTensors([tokens, hidden, surprisal, memory]);
          memory = after!;
        }
        disposeTensors(memory);
        model[Symbol.dispose]();
        return values;
      };
      const composed = run(false);
      const compare = (values: readonly Float32Array[], allowed: number) => {
        for (const [index, expected] of composed.entries()) {
          const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - values[index]![i]!)), 0);
          t.true(worst < allowed, `output ${index}: ${worst}`);
        }
      };
      compare(run(true), 5e-5);
      if (bfloat16) compare(run(true, 'bfloat16'), 0.1);
      t.is(tf.memory().numTensors, 0);
    },
  );
}
