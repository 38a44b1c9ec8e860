import * as tf from '@tensorflow/tfjs';
import type {ExecutionContext, TestFn} from 'ava';
import {CompressiveTransformer} from '../../model/compressive-transformer.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {type EngineName, openEngine} from '../../model/engine/engine.ts';
import type {Memory} from '../../model/memory.ts';
import {type FixtureStep, readFixture} from './fixture.ts';
import {fixtureNames} from './fixture-names.ts';
import {relativeError} from './relative-error.ts';

const tolerance = 1e-4;

/** Compares the model on one engine with the float64 reference, step by step. */
export function testAgainstReference(
  test: TestFn,
  engine: EngineName,
  {fused = true, compiled = false}: {fused?: boolean; compiled?: boolean} = {},
): void {
  const kernels = `${fused ? '' : ' with composed kernels'}${compiled ? ', compiled' : ''}`;
  test.serial.before(async () => {
    await openEngine(engine);
  });

  for (const name of fixtureNames) {
    test.serial(`CompressiveTransformer equals the float64 reference on ${engine}${kernels}: ${name}`, async t => {
      const {config, weights, documents} = await readFixture(name);
      const model = new CompressiveTransformer(config, weights, {fused, compiled, cached: false});
      const before: Memory[] = [];
      for (const steps of documents) {
        let memory = model.emptyMemory(1);
        for (const [index, step] of steps.entries()) {
          if (index === steps.length - 1) before.push(memory);
          const next = checkStep(t, {model, memory, steps: [step]});
          if (index === steps.length - 1) {
            if (next !== undefined) disposeTensors(next);
          } else if (next !== undefined) {
            disposeTensors(memory);
            memory = next;
          }
        }
      }
      // The last step of all documents, of whatever ages, in one batch.
      const last = documents.map(steps => steps.at(-1)!);
      const together = model.gatherMemories(before.map(memory => ({memory, row: 0})));
      const next = checkStep(t, {model, memory: together, steps: last});
      if (next !== undefined) disposeTensors(next);
      disposeTensors([...before, together]);
      model[Symbol.dispose]();
      t.is(tf.memory().numTensors, 0, 'tensors left over');
    });
  }
}

/** Steps documents together and compares each; gives the memory after the step if the segments were full. */
function checkStep(
  t: ExecutionContext,
  {model, memory, steps}: {model: CompressiveTransformer; memory: Memory; steps: readonly FixtureStep[]},
): Memory | undefined {
  const {segmentLength: n, modelWidth: d} = model.config;
  const tokens = new Int32Array(steps.length * n);
  for (const [row, step] of steps.entries()) tokens.set(step.tokens, row * n);
  const advance = steps.every(step => step.tokens.length === n);
  const input = tf.tensor2d(tokens, [steps.length, n], 'int32');
  const {hidden, surprisal, memory: next} = model.step(input, memory, {advance});
  const hiddenData = hidden.dataSync();
  const bits = surprisal.dataSync();
  disposeTensors([input, hidden, surprisal]);
  const close = (name: string, actual: ArrayLike<number>, expected: ArrayLike<number>) => {
    const error = relativeError(actual, expected);
    t.true(error < tolerance, `${name}: relative error ${error}`);
  };
  for (const [row, step] of steps.entries()) {
    const length = step.tokens.length;
    close('hidden', hiddenData.subarray(row * n * d, (row * n + length) * d), step.expected('hidden')!.data);
    close('surprisal', bits.subarray(row * n, row * n + length), step.expected('surprisal')!.data);
  }
  if (next === undefined) return undefined;
  for (const [row, snapshot] of model
    .snapshotMemories(
      next,
      steps.map((_, index) => index),
    )
    .entries()) {
    const step = steps[row]!;
    t.is(snapshot.memoryCount, step.memoryCount);
    t.is(snapshot.compressedMemoryCount, step.compressedMemoryCount);
    for (const name of ['memory', 'compressedMemory', 'attentionMass', 'lastHidden']) {
      const expected = step.expected(name);
      const actual = snapshot.tensors[name];
      if (expected === undefined || (expected.data.length === 0 && actual === undefined)) continue;
      t.deepEqual(actual?.shape, expected.shape, name);
      close(name, actual!.data, expected.data);
    }
  }
  return next;
}
