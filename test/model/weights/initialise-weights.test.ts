import {createHash} from 'node:crypto';
import test from 'ava';
import type {ModelConfig} from '../../../model/model-config.ts';
import {initialiseWeights} from '../../../model/weights/initialise-weights.ts';
import {weightShapes} from '../../../model/weights/weight-shapes.ts';

const config: ModelConfig = {
  segmentLength: 8,
  memoryLength: 8,
  compressedMemoryLength: 8,
  compressionRate: 4,
  compressor: 'convolution',
  layers: 3,
  heads: 4,
  modelWidth: 64,
  feedForwardWidth: 128,
  vocabularySize: 256,
};

function moments(data: Float32Array): {mean: number; deviation: number} {
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  return {mean, deviation: Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length)};
}

function checkNormal(data: Float32Array, deviation: number): boolean {
  const measured = moments(data);
  // Five standard errors; the seed is fixed, so the test cannot fail by chance.
  const error = 5 / Math.sqrt(data.length);
  return Math.abs(measured.mean) < error * deviation && Math.abs(measured.deviation / deviation - 1) < error;
}

test('initialiseWeights gives every weight of the configuration its shape', t => {
  const weights = initialiseWeights(config, 1);
  const shapes = new Map([...weights].map(([name, {shape}]) => [name, shape]));
  t.deepEqual(shapes, weightShapes(config));
  for (const [name, {shape, data}] of weights) {
    t.is(
      data.length,
      shape.reduce((a, b) => a * b, 1),
      name,
    );
    t.true(data.every(Number.isFinite), name);
  }
});

test('initialiseWeights gives the same bits on every platform', t => {
  const hash = createHash('sha256');
  for (const [name, {data}] of initialiseWeights(config, 1)) hash.update(name).update(new Uint8Array(data.buffer));
  t.is(hash.digest('hex').slice(0, 16), '7eb80f9450c8a852');
});

test('initialiseWeights gives other values for another seed or name, and the same ones in a larger model', t => {
  const weights = initialiseWeights(config, 1);
  const query = weights.get('layers.0.attention.query.weight')!.data;
  t.notDeepEqual(initialiseWeights(config, 2).get('layers.0.attention.query.weight')!.data, query);
  t.notDeepEqual(weights.get('layers.0.attention.key.weight')!.data, query);
  const other = initialiseWeights({...config, compressor: 'most-used', feedForwardWidth: 256}, 1);
  t.deepEqual(other.get('layers.0.attention.query.weight')!.data, query);
});

test('initialiseWeights scales each kind of weight as documented', t => {
  const weights = initialiseWeights(config, 5);
  const residual = Math.sqrt(2 * 3);
  const expected: Record<string, number> = {
    'embedding.weight': 1 / 8,
    'layers.1.attention.query.weight': 1 / 8,
    'layers.1.attention.compressed_position.weight': 1 / 8,
    'layers.1.attention.output.weight': 1 / 8 / residual,
    'layers.1.attention.content_bias': 0.02,
    'layers.1.attention.compressed_position_bias': 0.02,
    'layers.1.feed_forward.inner.weight': Math.SQRT2 / 8,
    'layers.1.feed_forward.outer.weight': 1 / Math.sqrt(128) / residual,
  };
  for (const [name, deviation] of Object.entries(expected))
    t.true(checkNormal(weights.get(name)!.data, deviation), name);
  for (const [name, {data}] of weights) {
    if (name.endsWith('.gain'))
      t.true(
        data.every(value => value === 1),
        name,
      );
    if (name.endsWith('.bias'))
      t.true(
        data.every(value => value === 0),
        name,
      );
  }
});

test('initialiseWeights makes compressors that pool the mean of a window, but for noise', t => {
  const d = config.modelWidth;
  const identity = (data: Float32Array, {row, scale}: {row: number; scale: number}): Float32Array =>
    data.slice(row * d * d, (row + 1) * d * d).map((value, i) => value - (i % (d + 1) === 0 ? scale : 0));
  const {data} = initialiseWeights(config, 5).get('layers.2.compressor.weight')!;
  for (const row of [0, 1, 2, 3]) t.true(checkNormal(identity(data, {row, scale: 1 / 4}), 0.1 / 8), `${row}`);
  const dilated = initialiseWeights({...config, compressor: 'dilated-convolution'}, 5);
  const first = dilated.get('layers.0.compressor.dilated.2.weight')!.data;
  t.true(checkNormal(identity(first, {row: 0, scale: 1}), 0.1 / 8));
  t.true(checkNormal(identity(first, {row: 1, scale: 0}), 0.1 / 8));
  const strided = dilated.get('layers.0.compressor.strided.weight')!.data;
  t.true(checkNormal(identity(strided, {row: 3, scale: 1 / 4}), 0.1 / 8));
});

test('initialiseWeights refuses a seed that is no integer, and a configuration that is refused', t => {
  t.throws(() => initialiseWeights(config, 0.5), {instanceOf: RangeError, message: /seed must be a safe integer/});
  t.throws(() => initialiseWeights({...config, heads: 3}, 1), {instanceOf: RangeError, message: /divisible by heads/});
});
