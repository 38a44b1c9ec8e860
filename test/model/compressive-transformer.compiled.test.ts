import * as tf from '@tensorflow/tfjs';
import test, {type ExecutionContext} from 'ava';
import {flattenTensors} from '../../model/compile/flatten-tensors.ts';
import {CompressiveTransformer, type Step} from '../../model/compressive-transformer.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import type {Memory} from '../../model/memory.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {testAgainstReference} from './against-reference.ts';
import {readFixture} from './fixture.ts';
import {fixtureNames} from './fixture-names.ts';
import {relativeError} from './relative-error.ts';
import {smallConfig} from './small-model.ts';

testAgainstReference(test, 'native', {compiled: true});
testAgainstReference(test, 'native', {compiled: true, fused: false});

const tensorsOf = ({hidden, surprisal, memory}: Step) =>
  flattenTensors({hidden, surprisal, ...(memory && {lastHidden: memory.lastHidden, layers: memory.layers})}).tensors;

for (const name of fixtureNames) {
  test.serial(`CompressiveTransformer compiled equals itself not compiled within 1e-5: ${name}`, async t => {
    const {config, weights, documents} = await readFixture(name);
    const [eager, compiled] = [false, true].map(
      choice => new CompressiveTransformer(config, weights, {compiled: choice, cached: false}),
    ) as [CompressiveTransformer, CompressiveTransformer];
    for (const steps of documents) {
      let memory = eager.emptyMemory(1);
      for (const {tokens} of steps) {
        const filled = new Int32Array(config.segmentLength);
        filled.set(tokens);
        const advance = tokens.length === config.segmentLength;
        const input = tf.tensor2d(filled, [1, config.segmentLength], 'int32');
        const [expected, actual] = [eager, compiled].map(model => model.step(input, memory, {advance})) as [Step, Step];
        for (const [index, tensor] of tensorsOf(actual).entries()) {
          const error = relativeError(tensor.dataSync(), tensorsOf(expected)[index]!.dataSync());
          t.true(error <= 1e-5, `relative error ${error}`);
        }
        disposeTensors([input, actual, expected.hidden, expected.surprisal]);
        if (expected.memory === undefined) continue;
        disposeTensors(memory);
        memory = expected.memory;
      }
      disposeTensors(memory);
    }
    eager[Symbol.dispose]();
    compiled[Symbol.dispose]();
  });
}

function run(model: CompressiveTransformer, {steps, resumeAt}: {steps: number; resumeAt?: number}): Float32Array[] {
  let memory = model.emptyMemory(1);
  return Array.from({length: steps}, (_, index) => {
    if (index === resumeAt) {
      const [snapshot] = model.snapshotMemories(memory, [0]);
      disposeTensors(memory);
      memory = model.restoreMemory(snapshot!);
    }
    return advance(model, memory, [index], next => {
      memory = next;
    });
  });
}

/** Steps documents with tokens that numbers decide, and gives their surprisals. */
function advance(
  model: CompressiveTransformer,
  memory: Memory,
  numbers: readonly number[],
  keep: (memory: Memory) => void,
): Float32Array {
  const n = model.config.segmentLength;
  const tokens = numbers.flatMap(number => Array.from({length: n}, (_, j) => (number * 31 + j * 7) % 250));
  const input = tf.tensor2d(tokens, [numbers.length, n], 'int32');
  const step = model.step(input, memory);
  const bits = step.surprisal.dataSync() as Float32Array;
  disposeTensors([input, step.hidden, step.surprisal, memory]);
  keep(step.memory!);
  return bits;
}

function smallTransformer(): CompressiveTransformer {
  return new CompressiveTransformer(smallConfig, initialiseWeights(smallConfig, 1), {compiled: true, cached: false});
}

function equalBits(t: ExecutionContext, actual: Float32Array, expected: Float32Array): void {
  t.deepEqual(new Uint8Array(actual.slice().buffer), new Uint8Array(expected.slice().buffer));
}

test.serial('CompressiveTransformer compiled goes on from a stored memory to the bit', t => {
  const model = smallTransformer();
  const [whole, resumed] = [run(model, {steps: 10}), run(model, {steps: 10, resumeAt: 6})];
  for (const [index, bits] of resumed.entries()) equalBits(t, bits, whole[index]!);
  model[Symbol.dispose]();
});

test.serial(
  'CompressiveTransformer compiled gives a document the same bits alone and beside rows that fill a batch up',
  t => {
    const model = smallTransformer();
    const n = smallConfig.segmentLength;
    const alone = run(model, {steps: 8});
    const empty = model.emptyMemory(1);
    let memory = model.gatherMemories([0, 1, 2, 3].map(() => ({memory: empty, row: 0})));
    for (const [index, expected] of alone.entries()) {
      const bits = advance(model, memory, [0, index, 0, 0], next => {
        memory = next;
      });
      equalBits(t, bits.slice(n, 2 * n), expected);
    }
    model[Symbol.dispose]();
  },
);
