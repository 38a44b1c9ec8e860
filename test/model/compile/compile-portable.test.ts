import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {disposeTensors} from '../../../model/dispose-tensors.ts';
import {openEngine} from '../../../model/engine/engine.ts';

for (const engine of ['wasm', 'cpu'] as const) {
  test.serial(`A compiled function runs on ${engine} through the same interface`, async t => {
    await openEngine(engine);
    const before = tf.memory().numTensors;
    const weights = tf.tensor1d([1, 2]);
    const total = tf.tidy(() => tf.variable(tf.zeros([2])));
    const fn = compile(
      ({x, deep}: {x: tf.Tensor1D; deep: {i: tf.Tensor1D}[]}) => {
        total.assign(tf.add(total, x));
        return {x, total, sum: tf.add(tf.mul(x, weights), tf.cast(deep[0]!.i, 'float32')), weights};
      },
      {inputs: {x: {shape: [2]}, deep: [{i: {shape: [2], dtype: 'int32'}}]}, constants: {weights}, cache: 'a test'},
    );
    t.deepEqual([...total.dataSync()], [0, 0]);
    const [x, i] = [tf.tensor1d([3, 4]), tf.tensor1d([5, 6], 'int32')];
    const results = fn({deep: [{i}], x});
    t.deepEqual([...results.sum.dataSync()], [8, 14]);
    t.deepEqual([...total.dataSync()], [3, 4]);
    t.is(new Set([x, total, weights, ...Object.values(results)]).size, 7, 'results are tensors of their own');
    t.throws(() => fn({x, deep: [{i: x}]}), {message: /"deep.0.i" must be int32 \[2\]: it is float32 \[2\]/});
    t.throws(() => fn({x, deep: []}), {message: /it takes "deep.0.i": there is none/});
    t.throws(() => compile(() => 3 as unknown as tf.Tensor, {inputs: {shape: [2]}})(x), {message: /it is 3$/});
    const square = compile((y: tf.Tensor) => tf.square(y), {inputs: {shape: [2]}});
    t.throws(() => tf.tidy(() => tf.grad(y => square(y))(x)), {message: /inside a gradient/});
    fn[Symbol.dispose]();
    fn[Symbol.dispose]();
    t.throws(() => fn({x, deep: [{i}]}), {message: /it is disposed of/});
    disposeTensors([weights, total, x, i, results]);
    t.is(tf.memory().numTensors, before);
  });
}
