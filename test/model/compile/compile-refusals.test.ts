import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {openEngine} from '../../../model/engine/engine.ts';

type Inputs = {readonly x: tf.Tensor1D; readonly i: tf.Tensor1D};

const inputs = {x: {shape: [4]}, i: {shape: [4], dtype: 'int32'}} as const;

test.serial.before(async () => {
  await openEngine('native');
});

const drawn = (operation: string) =>
  `Cannot compile as what "${operation}" draws would be the same at each call: draw outside and declare it as an input`;
const read = (reader: string) =>
  `Cannot compile as values that depend on inputs must stay in tensors: "${reader}" reads some back to JavaScript`;
const shaped = (operation: string) =>
  `Cannot compile as the shape of what "${operation}" gives depends on values: use a mask`;
const madeInside =
  'Cannot compile as a variable that "variable" makes of changing values would begin with the same ones at each call: make it outside, or use the tensor itself';
const another = 'Cannot compile as the function runs a compiled function or a SavedModel: compile it whole';

const refusals: readonly (readonly [name: string, fn: (inputs: Inputs) => unknown, message: string | RegExp])[] = [
  ['tf.randomNormal', ({x}) => tf.add(x, tf.randomNormal([4])), drawn('randomNormal')],
  ['tf.randomUniform', ({x}) => tf.add(x, tf.randomUniform([4])), drawn('randomUniform')],
  ['tf.randomUniformInt', ({x}) => tf.add(x, tf.randomUniformInt([4], 0, 9)), drawn('randomUniformInt')],
  ['tf.randomStandardNormal', ({x}) => tf.add(x, tf.randomStandardNormal([4])), drawn('randomStandardNormal')],
  ['tf.randomGamma', ({x}) => tf.add(x, tf.randomGamma([4], 1)), drawn('randomGamma')],
  ['tf.truncatedNormal', ({x}) => tf.add(x, tf.truncatedNormal([4])), drawn('truncatedNormal')],
  [
    'tf.rand',
    ({x}) =>
      tf.add(
        x,
        tf.rand([4], () => 1),
      ),
    drawn('rand'),
  ],
  ['tf.multinomial', ({x}) => tf.multinomial(x, 2), drawn('multinomial')],
  ['tf.dropout', ({x}) => tf.dropout(x, 0.5), drawn('dropout')],
  ['Math.random', ({x}) => tf.mul(x, Math.random()), drawn('Math.random')],
  ['dataSync', ({x}) => tf.mul(x, x.dataSync()[0]!), read('dataSync')],
  ['dataSync of a result', ({x}) => tf.mul(x, tf.sum(x).dataSync()[0]!), read('dataSync')],
  ['arraySync', ({x}) => tf.mul(x, x.arraySync()[0]!), read('arraySync')],
  ['bufferSync', ({x}) => tf.mul(x, x.bufferSync().get(0)), read('bufferSync')],
  ['print', ({x}) => x.print(), read('print')],
  ['data', async ({x}) => tf.mul(x, (await x.data())[0]!), read('data')],
  ['array', async ({x}) => tf.mul(x, (await x.array())[0]!), read('array')],
  [
    'a read whose error is caught',
    ({x}) => {
      try {
        x.dataSync();
      } catch {}
      return tf.neg(x);
    },
    read('dataSync'),
  ],
  [
    'a read that nobody waits for',
    ({x}) => {
      x.data().catch(() => {});
      return tf.neg(x);
    },
    read('data'),
  ],
  ['tf.whereAsync', ({x}) => tf.whereAsync(tf.greater(x, 0)), read('whereAsync')],
  ['tf.booleanMaskAsync', ({x}) => tf.booleanMaskAsync(x, tf.greater(x, 0)), read('whereAsync')],
  ['tf.unique', ({x}) => tf.unique(x).values, shaped('unique')],
  [
    'tf.image.nonMaxSuppression',
    ({x}) => tf.image.nonMaxSuppression(tf.zeros([4, 4]), x, 2),
    shaped('nonMaxSuppression'),
  ],
  ['tf.variable of an input', ({x}) => tf.add(tf.variable(x), 1), madeInside],
  ['tf.variable of what an input decides', ({x}) => tf.variable(tf.mul(tf.zerosLike(x), tf.sum(x))), madeInside],
  ['tf.variable of another variable', ({x}) => tf.add(tf.variable(tf.neg(kept)), x), madeInside],
  ['a compiled function inside', ({x}) => double(x), another],
  [
    'compiling inside',
    ({x}) => compile((y: tf.Tensor) => tf.neg(y), {inputs: {shape: [4]}})(x),
    'Cannot compile as this is inside a function that is being compiled: compile the outer one whole',
  ],
  ['numbers', () => 3, /must be tensors in arrays and plain objects: it is 3$/],
  ['numbers deep inside', ({x}) => ({a: [x, {b: 'text'}]}), /: "a.1.b" is text$/],
  ['null', ({x}) => ({x, y: null}), /: "y" is null$/],
  ['a promise', async ({x}) => tf.neg(x), /: it is of class Promise$/],
  ['a map', ({x}) => new Map([['x', x]]), /: it is of class Map$/],
  ['nothing', () => ({}), 'Cannot compile as the function must give a tensor: it gives none'],
  ['strings', () => ({text: tf.tensor1d(['a'])}), /tensors must be of float32, int32 or bool/],
  ['complex numbers', ({x}) => tf.complex(x, x), /tensors must be of float32, int32 or bool/],
  [
    'an error of its own',
    () => {
      throw new RangeError('its own');
    },
    'its own',
  ],
];

let double: (x: tf.Tensor) => tf.Tensor;
let kept: tf.Variable;

for (const [name, fn, message] of refusals) {
  test.serial(`compile() refuses ${name}, and leaves everything as it was`, t => {
    double = compile((x: tf.Tensor) => tf.mul(x, 2), {inputs: {shape: [4]}});
    kept = tf.variable(tf.scalar(5));
    const {random} = Math;
    const before = tf.memory().numTensors;
    t.throws(() => tf.tidy(() => void compile(fn as (inputs: Inputs) => tf.Tensor, {inputs})), {message});
    t.is(tf.memory().numTensors, before);
    t.is(Math.random, random);
    t.is(kept.dataSync()[0], 5);
    t.is(
      tf.tidy(() => double(tf.ones([4])).dataSync()[0]),
      2,
    );
    t.notThrows(() => tf.tidy(() => tf.randomUniform([2]).dataSync()));
    kept.dispose();
    (double as unknown as Disposable)[Symbol.dispose]();
  });
}

test.serial('compile() lets values be read that depend on no input', t => {
  const fn = compile(({x}: Inputs) => [tf.mul(x, tf.range(0, 3).dataSync()[2]!)], {inputs});
  const [result] = tf.tidy(() => fn({x: tf.tensor1d([1, 2, 3, 4]), i: tf.zeros([4], 'int32')}));
  t.deepEqual([...result!.dataSync()], [2, 4, 6, 8]);
  fn[Symbol.dispose]();
});

test.serial('compile() refuses to read what depends on inputs when it is given example tensors', t => {
  const x = tf.tensor1d([1, 2]);
  t.throws(() => tf.tidy(() => void compile((given: tf.Tensor) => tf.mul(given, given.dataSync()[1]!), {inputs: x})), {
    message: read('dataSync'),
  });
  x.dispose();
});

test.serial('compile() lets values of declared constants be read, but not with a cache', t => {
  const weights = tf.tensor1d([3, 4]);
  const options = {inputs: {shape: [2]}, constants: {weights}};
  const scale = (x: tf.Tensor) => tf.mul(x, tf.sum(weights).dataSync()[0]!);
  const fn = compile(scale, options);
  t.deepEqual([...tf.tidy(() => fn(tf.tensor1d([1, 2])).dataSync())], [7, 14]);
  fn[Symbol.dispose]();
  t.throws(() => tf.tidy(() => void compile(scale, {...options, cache: 'reads a constant'})), {
    message:
      'Cannot compile as values that depend on inputs, or with a cache on constants, must stay in tensors: "dataSync" reads some back to JavaScript',
  });
  weights.dispose();
});

test.serial('compile() refuses inputs of other types, and what is no shape', t => {
  const identity = (x: tf.Tensor) => x;
  t.throws(() => compile(identity, {inputs: {shape: [1], dtype: 'string'}}), {
    message: 'Cannot compile as inputs must be of float32, int32 or bool: its input is of string',
  });
  t.throws(() => compile(identity, {inputs: {shape: [-1]}}), {instanceOf: TypeError});
  t.throws(() => compile(identity, {inputs: {shape: [1.5]}}), {instanceOf: TypeError});
  t.throws(() => compile((x: {a: tf.Tensor}) => x, {inputs: {a: null as never}}), {message: /"a" is null/});
});
