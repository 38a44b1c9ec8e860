import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {CompressiveTransformer} from '../../model/compressive-transformer.ts';
import {openEngine} from '../../model/engine/engine.ts';
import type {TensorData} from '../../model/memory-snapshot.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {sinusoidTable} from '../../model/sinusoid-table.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {weightShapes} from '../../model/weights/weight-shapes.ts';
import {changeMemories} from '../../training/change-memories.ts';

const transformerXl: ModelConfig = {
  segmentLength: 16,
  memoryLength: 24,
  compressedMemoryLength: 0,
  compressionRate: 4,
  compressor: 'convolution',
  layers: 2,
  heads: 2,
  modelWidth: 32,
  feedForwardWidth: 32,
  vocabularySize: 50,
};
const trained = {config: transformerXl, weights: initialiseWeights(transformerXl, 1)};
const memories = {memoryLength: 16, compressedMemoryLength: 8};

test.serial.before(async () => {
  await openEngine('native');
});

/** Surprisal of segments of the same tokens, whatever the model. */
function surprisals({config, weights}: ReturnType<typeof changeMemories>, segments: number): number[][] {
  using model = new CompressiveTransformer(config, weights);
  let memory = model.emptyMemory(1);
  return Array.from({length: segments}, (_, segment) => {
    const tokens = Int32Array.from({length: config.segmentLength}, (_, i) => (segment * 131 + i * i * 7) % 50);
    const step = model.step(tf.tensor2d(tokens, [1, tokens.length], 'int32'), memory);
    memory = step.memory!;
    return [...step.surprisal.dataSync()];
  });
}

function shapes(weights: ReadonlyMap<string, TensorData>): Map<string, readonly number[]> {
  return new Map([...weights].map(([name, {shape}]) => [name, shape]));
}

test.serial(
  'changeMemories gives a Transformer-XL a compressed memory and lets it read as before until that is filled',
  t => {
    const changed = changeMemories(trained, memories, {seed: 1});
    t.deepEqual(changed.config, {...transformerXl, ...memories});
    t.deepEqual(shapes(changed.weights), weightShapes(changed.config));
    for (const [name, tensor] of trained.weights) t.is(changed.weights.get(name), tensor, name);
    const [before, after] = [
      surprisals({...trained, config: {...transformerXl, memoryLength: 16}}, 3),
      surprisals(changed, 3),
    ];
    t.deepEqual(after.slice(0, 2), before.slice(0, 2));
    t.notDeepEqual(after[2], before[2]);
  },
);

test('changeMemories lets the weights of positions see a compressed slot where its tokens stood', t => {
  const {config, weights} = changeMemories(trained, memories, {seed: 1});
  const d = config.modelWidth;
  const keys = (table: Float32Array, name: string) => {
    const {data} = weights.get(`layers.1.attention.${name}.weight`)!;
    return Array.from({length: d}, (_, column) =>
      table.reduce((sum, value, i) => sum + value * data[i * d + column]!, 0),
    );
  };
  let [fitted, copied] = [0, 0];
  for (let query = 0; query < config.segmentLength; query++) {
    for (let slot = 1; slot <= config.compressedMemoryLength; slot++) {
      // Of the four tokens of a slot, the first stands 16 + 4 slot before the first query.
      const middle = query + 16 + 4 * slot - 1.5;
      const ideal = keys(sinusoidTable([middle], d), 'position');
      const delta = sinusoidTable([query + slot], d);
      for (const [column, value] of keys(delta, 'compressed_position').entries())
        fitted += (value - ideal[column]!) ** 2;
      for (const [column, value] of keys(delta, 'position').entries()) copied += (value - ideal[column]!) ** 2;
    }
  }
  t.true(fitted < copied / 3, `${fitted} of ${copied}`);
});

test('changeMemories begins a compressor anew where the rate is another one, and keeps it where not', t => {
  const config = {...transformerXl, ...memories};
  const compressive = {config, weights: initialiseWeights(config, 2)};
  const kernel = 'layers.0.compressor.weight';
  const longer = changeMemories(compressive, {compressedMemoryLength: 12}, {seed: 3});
  for (const [name, tensor] of compressive.weights) t.is(longer.weights.get(name), tensor, name);
  const denser = changeMemories(compressive, {compressionRate: 2}, {seed: 3});
  t.deepEqual(denser.weights.get(kernel), initialiseWeights(denser.config, 3).get(kernel));
  t.deepEqual(shapes(denser.weights), weightShapes(denser.config));
  const name = 'layers.0.attention.compressed_position.weight';
  t.is(denser.weights.get(name), compressive.weights.get(name));
  const without = changeMemories(compressive, {compressedMemoryLength: 0}, {seed: 3});
  t.deepEqual(shapes(without.weights), weightShapes(without.config));
});

test('changeMemories takes segments of another length and keeps all that was learnt', t => {
  const config = {...transformerXl, ...memories};
  const weights = initialiseWeights(config, 2);
  const shorter = changeMemories({config, weights}, {segmentLength: 8}, {seed: 3});
  t.is(shorter.config.segmentLength, 8);
  t.deepEqual([...shorter.weights], [...weights]);
});

test('changeMemories refuses lengths that do not go together', t => {
  t.throws(() => changeMemories(trained, {memoryLength: 1, compressedMemoryLength: 8}, {seed: 1}), {
    instanceOf: RangeError,
  });
});
