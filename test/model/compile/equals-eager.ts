import * as tf from '@tensorflow/tfjs';
import type {ExecutionContext} from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {flattenTensors} from '../../../model/compile/flatten-tensors.ts';
import type {SpecsOf} from '../../../model/compile/tensor-spec.ts';
import {disposeTensors} from '../../../model/dispose-tensors.ts';
import {tidy} from '../../../model/tidy.ts';
import {relativeError} from '../relative-error.ts';

/** Relative, over all values of a tensor. */
export const tolerance = 1e-5;

/** Checks that a compiled function gives what the function itself gives, twice over, and leaves no tensor behind. */
export function equalsEager<I extends object, O extends object>(
  t: ExecutionContext,
  fn: (inputs: I) => O,
  inputs: I,
): void {
  const before = tf.memory().numTensors;
  const expected = tidy(() => fn(inputs));
  const compiled = compile(fn, {inputs: inputs as unknown as SpecsOf<I>});
  for (let call = 0; call < 2; call++) {
    const actual = compiled(inputs);
    const [wanted, given] = [flattenTensors(expected), flattenTensors(actual)];
    t.deepEqual(given.paths, wanted.paths);
    for (const [index, tensor] of given.tensors.entries()) {
      const path = given.paths[index]!;
      const reference = wanted.tensors[index]!;
      t.deepEqual(tensor.shape, reference.shape, path);
      t.is(tensor.dtype, reference.dtype, path);
      if (tensor.dtype === 'float32') {
        const error = relativeError(tensor.dataSync(), reference.dataSync());
        t.true(error <= tolerance, `${path}: relative error ${error}`);
      } else {
        t.deepEqual(tensor.dataSync(), reference.dataSync(), path);
      }
    }
    disposeTensors(actual);
  }
  compiled[Symbol.dispose]();
  for (const tensor of flattenTensors(expected).tensors)
    if (!flattenTensors(inputs).tensors.includes(tensor)) tensor.dispose();
  t.is(tf.memory().numTensors, before, 'tensors left over');
}
