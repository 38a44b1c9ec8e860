import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {disposeTensors} from '../../../model/dispose-tensors.ts';
import {openEngine} from '../../../model/engine/engine.ts';
import {fusedKernels} from '../../../model/kernels/fused-kernels.ts';
import type {MemorySlots} from '../../../model/kernels/kernels.ts';
import {equalsEager} from './equals-eager.ts';

type Samples = {
  /** float32 [2, 3, 4], of both signs. */
  readonly x: tf.Tensor3D;
  /** float32 [2, 3, 4], from 0.1 to 0.9. */
  readonly y: tf.Tensor3D;
  /** int32 [2, 3], from 0 to 5. */
  readonly i: tf.Tensor2D;
  /** bool [2, 3] */
  readonly b: tf.Tensor2D;
  /** float32 [1, 6, 6, 2] */
  readonly image: tf.Tensor4D;
};

let samples: Samples;

test.serial.before(async () => {
  await openEngine('native');
  const values = (count: number, value: (index: number) => number) => Array.from({length: count}, (_, j) => value(j));
  samples = {
    x: tf.tensor3d(
      values(24, j => Math.sin(7 * j) * 2),
      [2, 3, 4],
    ),
    y: tf.tensor3d(
      values(24, j => 0.1 + 0.8 * Math.abs(Math.cos(5 * j))),
      [2, 3, 4],
    ),
    i: tf.tensor2d([0, 5, 2, 3, 1, 4], [2, 3], 'int32'),
    b: tf.tensor2d([1, 0, 1, 0, 0, 1], [2, 3], 'bool'),
    image: tf.tensor4d(
      values(72, j => Math.sin(3 * j)),
      [1, 6, 6, 2],
    ),
  };
});

const operations: Readonly<Record<string, (inputs: Samples) => tf.Tensor | tf.Tensor[]>> = {
  'arithmetic of two': ({x, y}) => [
    tf.add(x, y), tf.sub(x, y), tf.mul(x, y), tf.div(x, y), tf.divNoNan(x, y), tf.floorDiv(x, y), tf.mod(x, y), tf.pow(y, x),
    tf.maximum(x, y), tf.minimum(x, y), tf.squaredDifference(x, y), tf.atan2(x, y), tf.addN([x, y, x]), tf.prelu(x, y),
  ], // biome-ignore format: a list
  'arithmetic of one': ({x, y}) => [
    tf.abs(x), tf.neg(x), tf.sign(x), tf.ceil(x), tf.floor(x), tf.round(x), tf.exp(x), tf.expm1(x), tf.log(y), tf.log1p(y),
    tf.sqrt(y), tf.rsqrt(y), tf.square(x), tf.reciprocal(y), tf.sin(x), tf.cos(x), tf.tan(x), tf.asin(y), tf.acos(y), tf.atan(x),
    tf.sinh(x), tf.cosh(x), tf.tanh(x), tf.asinh(x), tf.atanh(y), tf.erf(x), tf.clipByValue(x, -1, 1), tf.step(x), tf.isNaN(x),
    tf.isInf(x), tf.isFinite(x),
  ], // biome-ignore format: a list
  activations: ({x}) => [
    tf.relu(x), tf.relu6(x), tf.elu(x), tf.selu(x), tf.sigmoid(x), tf.logSigmoid(x), tf.softplus(x), tf.leakyRelu(x, 0.1),
    tf.softmax(x), tf.logSoftmax(x),
  ], // biome-ignore format: a list
  reductions: ({x, b}) => [
    tf.sum(x, 1), tf.mean(x, [0, 2], true), tf.max(x, 2), tf.min(x), tf.prod(x, 1), tf.argMax(x, 1), tf.argMin(x, 2),
    tf.logSumExp(x, -1), tf.norm(x), tf.all(b, 1), tf.any(b), tf.cumsum(x, 1, true, true), tf.cumprod(x, 2),
    ...Object.values(tf.moments(x, 1)),
  ], // biome-ignore format: a list
  comparisons: ({x, y, b}) => [
    tf.less(x, y), tf.lessEqual(x, y), tf.greater(x, y), tf.greaterEqual(x, y), tf.equal(x, x), tf.notEqual(x, y),
    tf.logicalAnd(b, tf.logicalNot(b)), tf.logicalOr(b, b), tf.logicalXor(b, tf.onesLike(b)), tf.where(tf.greater(x, y), x, y),
  ], // biome-ignore format: a list
  'changes of shape': ({x, i}) => [
    tf.reshape(x, [6, 4]), tf.expandDims(x, 1), tf.expandDims(i, 0), tf.squeeze(tf.slice(x, [0, 1, 0], [-1, 1, -1])), tf.squeeze(tf.expandDims(x)),
    tf.transpose(x), tf.transpose(x, [1, 0, 2]), tf.concat([x, x], 2), ...tf.split(x, [1, 3], 2), ...tf.split(x, 2, 2),
    tf.stack([x, x], 1), ...tf.unstack(x, 1), tf.tile(x, [1, 2, 1]), tf.pad(x, [[0, 1], [1, 0], [2, 2]], 0.5), tf.reverse(x, 1),
    tf.mirrorPad(x, [[0, 0], [1, 1], [0, 1]], 'reflect'), tf.broadcastTo(tf.slice(x, 0, 1), [2, 3, 4]),
    tf.stridedSlice(x, [0, 0, 3], [2, 3, 0], [1, 2, -1]), tf.batchToSpaceND(tf.concat([x, x], 0), [2, 2].slice(0, 1), [[0, 0]]),
  ], // biome-ignore format: a list
  'slices of nothing': ({x}) => [
    tf.slice(x, [0, 0, 0], [2, 0, 4]),
    tf.concat([tf.slice(x, [0, 0, 0], [2, 0, 4]), x], 1),
  ],
  'choices and counts': ({x, i}) => [
    tf.gather(tf.reshape(x, [6, 4]), i), tf.gather(x, tf.tensor1d([2, 0], 'int32'), 1), tf.gatherND(x, tf.tensor2d([[0, 1], [1, 2]], [2, 2], 'int32')), tf.oneHot(i, 6),
    ...Object.values(tf.topk(x, 2)), tf.scatterND(tf.tensor2d([[1], [3]], [2, 1], 'int32'), tf.slice(tf.reshape(x, [6, 4]), 0, 2), [5, 4]),
    tf.unsortedSegmentSum(tf.reshape(x, [6, 4]), tf.reshape(i, [6]) as tf.Tensor1D, 6), tf.bincount(tf.reshape(i, [6]) as tf.Tensor1D, tf.ones([6]), 6),
  ], // biome-ignore format: a list
  'matrix products': ({x, y}) => [
    tf.matMul(x, y, false, true), tf.matMul(x, y, true), tf.dot(tf.reshape(x, [6, 4]), tf.reshape(y, [4, 6])),
    tf.einsum('bij,bkj->bik', x, y), tf.outerProduct(tf.reshape(x, [24]), tf.reshape(y, [24])),
    tf.fused.matMul({a: tf.reshape(x, [6, 4]) as tf.Tensor2D, b: tf.reshape(y, [4, 6]) as tf.Tensor2D, activation: 'relu', bias: tf.ones([6])}),
    tf.linalg.bandPart(x, 1, 0),
  ], // biome-ignore format: a list
  'images and sequences': ({x, image}) => [
    tf.conv2d(image, tf.ones([3, 3, 2, 4]), 2, 'same'), tf.conv1d(x, tf.ones([2, 4, 5]), 1, 'valid'), tf.depthwiseConv2d(image, tf.ones([3, 3, 2, 1]), 1, 'same'),
    tf.conv2dTranspose(image, tf.ones([3, 3, 4, 2]), [1, 12, 12, 4], 2, 'same'), tf.maxPool(image, 2, 2, 'same'), tf.avgPool(image, 3, 1, 'valid'),
    tf.image.resizeBilinear(image, [3, 9]), tf.image.resizeNearestNeighbor(image, [9, 3]), tf.localResponseNormalization(image),
    tf.batchNorm(image, tf.zeros([2]), tf.ones([2]), tf.ones([2]), tf.ones([2])), tf.spaceToBatchND(image, [2, 2], [[0, 0], [0, 0]]), tf.depthToSpace(tf.concat([image, image], 3), 2, 'NHWC'),
  ], // biome-ignore format: a list
  'int32 and bool': ({x, i, b}) => [
    tf.add(i, tf.scalar(3, 'int32')), tf.mul(i, i), tf.sum(i, 1), tf.cast(x, 'int32'), tf.cast(i, 'float32'), tf.cast(b, 'float32'), tf.cast(b, 'int32'), tf.cast(x, 'bool'),
    tf.cast(i, 'bool'), tf.floorDiv(i, tf.scalar(2, 'int32')), tf.maximum(i, tf.scalar(2, 'int32')), tf.where(b, i, tf.neg(i)), tf.greater(i, tf.scalar(2, 'int32')), tf.reshape(b, [6]),
    tf.range(0, 5, 1, 'int32'), tf.zerosLike(i), tf.onesLike(b), tf.fill([2], 7, 'int32'),
  ], // biome-ignore format: a list
  gradients: ({x, y}) => [
    tf.grad(a => tf.sum(tf.square(tf.tanh(a))))(x),
    ...tf.grads((a, b) => tf.sum(tf.softmax(tf.matMul(a!, b!, false, true))))([x, y]),
    tf.grad(a => tf.mean(tf.gather(tf.reshape(a, [6, 4]), tf.tensor1d([1, 1, 5], 'int32'))))(x),
    tf.grad(a => tf.sum(tf.mul(tf.slice(tf.pad(a, [[0, 0], [1, 0], [0, 0]]), [0, 0, 1], [-1, 2, 2]), 3)))(x),
    tf.grad(a => tf.sum(tf.max(a, 1)))(x),
    tf.grad(a => tf.sum(tf.exp(tf.concat([a, a], 1))))(x),
  ], // biome-ignore format: a list
};

for (const [name, fn] of Object.entries(operations)) {
  test.serial(`compile() gives what is computed without it: ${name}`, t => {
    equalsEager(t, inputs => [fn(inputs)].flat(), samples);
  });
}

test.serial('compile() gives what fused kernels compute', t => {
  const kernels = fusedKernels()!;
  const [x, y] = [samples.x, samples.y].map(sample => tf.reshape(sample, [6, 4]) as tf.Tensor2D) as [
    tf.Tensor2D,
    tf.Tensor2D,
  ];
  const bias = tf.tensor1d([1, -2, 3, -4]);
  const memorySlots = (slots: tf.Tensor2D): MemorySlots => [
    tf.reshape(slots, [1, -1, 4]) as tf.Tensor3D,
    tf.reshape(slots, [2, 1, -1, 2]) as tf.Tensor4D,
    tf.reshape(tf.neg(slots), [2, 1, -1, 2]) as tf.Tensor4D,
  ];
  equalsEager(
    t,
    inputs => {
      const matrix = kernels.packMatrix(inputs.y, {transposed: true});
      const product = kernels.dense(inputs.x, matrix); // [6, 6]
      return {
        normalised: kernels.layerNormalisation(inputs.x, {gain: inputs.bias, bias: inputs.bias}),
        product,
        sum: kernels.addDense(product, inputs.x, matrix),
        appended: kernels.appendSlots(memorySlots(inputs.x), memorySlots(tf.slice(inputs.y, [0, 0], [2, 4]))),
      };
    },
    {x, y, bias},
  );
  disposeTensors([x, y, bias]);
});

test.serial('compile() takes and gives nested structures, and leaves out what is undefined', t => {
  type Nested = {layers: {keys: tf.Tensor; values?: tf.Tensor | undefined}[]; last: [tf.Tensor, {deep: tf.Tensor}]};
  equalsEager(
    t,
    ({layers, last}: Nested) => ({
      sums: layers.map(({keys, values}) => ({sum: tf.add(keys, values ?? 1), none: undefined})),
      inner: [{product: tf.mul(last[0], last[1].deep)}],
    }),
    {
      layers: [
        {keys: samples.x, values: samples.y},
        {keys: samples.y, values: undefined},
      ],
      last: [samples.x, {deep: samples.y}],
    },
  );
});

test.serial('compile() gives inputs, captured tensors and the same tensor twice as tensors of their own', t => {
  const captured = tf.tensor1d([1, 2]);
  const fn = compile(({x}: {x: tf.Tensor}) => ({same: x, twice: x, captured, other: tf.ones([2])}), {
    inputs: {x: {shape: [2]}},
  });
  captured.dispose();
  const x = tf.tensor1d([3, 4]);
  const results = fn({x});
  t.is(new Set(Object.values(results)).size, 4);
  x.dispose();
  t.deepEqual([...results.same.dataSync()], [3, 4]);
  results.same.dispose();
  t.deepEqual([...results.twice.dataSync()], [3, 4]);
  t.deepEqual([...results.captured.dataSync()], [1, 2]);
  t.deepEqual([...results.other.dataSync()], [1, 1]);
  disposeTensors([results.twice, results.captured, results.other]);
  fn[Symbol.dispose]();
});

test.serial('compile() gives one tensor for one tensor', t => {
  const double = compile((x: tf.Tensor) => tf.mul(x, 2), {inputs: {shape: [2]}});
  const x = tf.tensor1d([1, 2]);
  const y = double(x);
  t.deepEqual([...y.dataSync()], [2, 4]);
  disposeTensors([x, y]);
  double[Symbol.dispose]();
});

test.serial('compile() tells inputs of one shape apart by name, whatever the order of keys', t => {
  const fn = compile(({a, b}: {a: tf.Tensor; b: tf.Tensor}) => [tf.sub(a, b)], {
    inputs: {b: {shape: []}, a: {shape: []}},
  });
  const [five, three] = [tf.scalar(5), tf.scalar(3)];
  const results = [fn({a: five, b: three}), fn({b: three, a: five})].flat();
  t.deepEqual(
    results.map(result => result.dataSync()[0]),
    [2, 2],
  );
  disposeTensors([five, three, ...results]);
  fn[Symbol.dispose]();
});

for (const size of [2, 1000]) {
  test.serial(`compile() keeps captured tensors of ${size} values that are disposed of later`, t => {
    const before = tf.memory().numTensors;
    const captured = tf.linspace(0, 1, size);
    const expected = captured.dataSync();
    const fn = compile(({x}: {x: tf.Tensor}) => [tf.mul(captured, x)], {inputs: {x: {shape: []}}});
    captured.dispose();
    const x = tf.scalar(1);
    const [result] = fn({x});
    t.deepEqual(result!.dataSync(), expected);
    fn[Symbol.dispose]();
    disposeTensors([x, result!]);
    t.is(tf.memory().numTensors, before);
  });
}

test.serial('compile() outlives the scope that it was called in', t => {
  const fn = tf.tidy(() => {
    const weights = tf.ones([1000]);
    const inner = compile(({x}: {x: tf.Tensor}) => [tf.add(weights, x)], {
      inputs: {x: {shape: []}},
      constants: [weights],
    });
    return inner as unknown as tf.Tensor;
  }) as unknown as (inputs: {x: tf.Tensor}) => tf.Tensor[];
  const result = tf.tidy(() => fn({x: tf.scalar(1)})[0]!);
  t.is(result.dataSync()[999], 2);
  result.dispose();
});

test.serial('compile() gives constants by reference, without a copy', t => {
  const weights = tf.ones([512, 512]);
  const {numDataBuffers} = tf.memory();
  const fn = compile(({x}: {x: tf.Tensor2D}) => [tf.matMul(x, weights as tf.Tensor2D)], {
    inputs: {x: {shape: [1, 512]}},
    constants: {weights},
  });
  t.is(tf.memory().numDataBuffers, numDataBuffers);
  const x = tf.ones<tf.Rank.R2>([1, 512]);
  const [result] = fn({x});
  t.is(result!.dataSync()[511], 512);
  disposeTensors([x, weights, result!]);
  const again = fn({x: tf.ones<tf.Rank.R2>([1, 512])});
  t.is(again[0]!.dataSync()[0], 512);
  fn[Symbol.dispose]();
});

for (const declares of [false, true]) {
  test.serial(
    `compile() computes once what depends on no input${declares ? ', on declared constants alone' : ''}`,
    t => {
      const {numTensors} = tf.memory();
      const weights = tf.ones([100, 100]);
      let calls = 0;
      const fn = compile(
        ({x}: {x: tf.Tensor}) => {
          calls++;
          return [tf.add(tf.sum(tf.exp(weights)), x)];
        },
        {inputs: {x: {shape: []}}, ...(declares && {constants: {weights}})},
      );
      weights.dispose();
      // A graph that computed it at each call would need them.
      t.is(tf.memory().numTensors, numTensors);
      const results = [1, 2, 3].map(value => tf.tidy(() => fn({x: tf.scalar(value)})[0]!.dataSync()[0]!));
      t.is(calls, 1);
      for (const [index, result] of results.entries())
        t.true(Math.abs(result / (1e4 * Math.E + index + 1) - 1) < 1e-4, `${result}`);
      fn[Symbol.dispose]();
    },
  );
}

test.serial('compile() reads and assigns variables at each call', t => {
  const count = tf.variable(tf.scalar(0));
  const scale = tf.variable(tf.scalar(2));
  const fn = compile(
    ({x}: {x: tf.Tensor}) => {
      count.assign(tf.add(count, x) as tf.Scalar);
      return {scaled: tf.mul(count, scale), count};
    },
    {inputs: {x: {shape: []}}},
  );
  t.is(count.dataSync()[0], 0, 'compiling changes no variable');
  const call = (value: number) => tf.tidy(() => fn({x: tf.scalar(value)}).scaled.dataSync()[0]);
  t.is(call(3), 6);
  t.is(call(1), 8);
  t.is(count.dataSync()[0], 4);
  scale.assign(tf.scalar(10));
  t.is(call(1), 50);
  fn[Symbol.dispose]();
  disposeTensors([count, scale]);
});

test.serial('compile() tells variables apart that were made from one tensor, and the tensor from them', t => {
  const start = tf.scalar(1);
  const [a, b] = [tf.variable(start), tf.variable(start)];
  const fn = compile(
    ({x}: {x: tf.Tensor}) => {
      a.assign(tf.add(a, x) as tf.Scalar);
      return [tf.stack([a, b, start])];
    },
    {inputs: {x: {shape: []}}},
  );
  const call = () => tf.tidy(() => [...fn({x: tf.scalar(1)})[0]!.dataSync()]);
  t.deepEqual(call(), [2, 1, 1]);
  b.assign(tf.scalar(7));
  t.deepEqual(call(), [3, 7, 1]);
  fn[Symbol.dispose]();
  disposeTensors([a, b, start]);
});

test.serial('A compiled function refuses inputs that it was not compiled for, and names them', t => {
  const fn = compile(({x}: {x: {deep: tf.Tensor}}) => [tf.neg(x.deep)], {inputs: {x: {deep: {shape: [2, 3]}}}});
  const call = (deep: tf.Tensor, more: object = {}) => fn({x: {deep}, ...more});
  const good = tf.zeros([2, 3]);
  const refused = (inputs: () => unknown, message: string) =>
    t.throws(() => tf.tidy(() => void inputs()), {message: `Cannot call a compiled function as ${message}`});
  refused(() => call(tf.zeros([3, 2])), '"x.deep" must be float32 [2,3]: it is float32 [3,2]');
  refused(() => call(tf.zeros([2, 3], 'int32')), '"x.deep" must be float32 [2,3]: it is int32 [2,3]');
  refused(() => call(good, {y: good}), 'only declared inputs can be given: "y" is not');
  refused(() => fn({x: {}} as never), 'it takes "x.deep": there is none');
  good.dispose();
  refused(() => call(good), '"x.deep" must be there: it is disposed of');
  fn[Symbol.dispose]();
});

test.serial('A compiled function refuses to run inside a gradient, where it would count for nothing', t => {
  const fn = compile((x: tf.Tensor) => tf.square(x), {inputs: {shape: []}});
  t.throws(() => tf.grad(x => fn(x))(tf.scalar(3)), {
    message: 'Cannot call a compiled function inside a gradient as it has none: compile what takes the gradient',
  });
  fn[Symbol.dispose]();
});

test.serial('A compiled function refuses to run on another backend, and goes on when its own is back', async t => {
  const double = compile((x: tf.Tensor) => tf.mul(x, 2), {inputs: {shape: [2]}});
  const own = tf.getBackend();
  t.true(await tf.setBackend('cpu'));
  t.throws(() => double(tf.ones([2])), {
    message:
      'Cannot call a compiled function as the backend must be the one that it was compiled for, "tensorflow": it is "cpu"',
  });
  const elsewhere = tf.tidy(() => tf.add(tf.ones([2]), 3));
  await tf.setBackend(own);
  t.deepEqual([...tf.tidy(() => double(elsewhere).dataSync())], [8, 8]);
  elsewhere.dispose();
  double[Symbol.dispose]();
});

test.serial('A compiled function is disposed of once or twice, and then refuses calls', t => {
  const fn = compile((x: tf.Tensor) => tf.neg(x), {inputs: {shape: []}});
  fn[Symbol.dispose]();
  fn[Symbol.dispose]();
  t.throws(() => fn(tf.scalar(1)), {message: 'Cannot call a compiled function as it is disposed of: compile it again'});
});

test.serial('A compiled function refuses calls without a variable that it uses', t => {
  const variable = tf.variable(tf.scalar(1), true, 'gain');
  const fn = compile((x: tf.Tensor) => tf.mul(x, variable), {inputs: {shape: []}});
  variable.dispose();
  t.throws(() => fn(tf.scalar(1)), {message: /its variables must be there: "gain" is disposed of/});
  fn[Symbol.dispose]();
});

test.serial('A compiled function passes on what TensorFlow refuses at a call, and goes on', t => {
  const fn = compile(({i}: {i: tf.Tensor1D}) => [tf.gather(tf.ones([3]), i)], {
    inputs: {i: {shape: [1], dtype: 'int32'}},
  });
  const call = (index: number) => tf.tidy(() => fn({i: tf.tensor1d([index], 'int32')})[0]!.dataSync()[0]);
  t.throws(() => call(3), {message: /not in \[0, 3\)/});
  t.is(call(2), 1);
  fn[Symbol.dispose]();
});

test.serial('compile() calls the function with example tensors, which stay as they are and are not kept', t => {
  const {numTensors} = tf.memory();
  const table = tf.tensor2d([10, 11, 20, 21, 30, 31], [3, 2]);
  const i = tf.tensor1d([1, 3], 'int32');
  const rows = ({i, j}: {i: tf.Tensor1D; j: tf.Tensor1D}) => [
    tf.gather(table, tf.sub(i, tf.scalar(1, 'int32'))),
    tf.sub(i, j),
  ];
  t.throws(() => compile(rows, {inputs: {i: {shape: [2], dtype: 'int32'}, j: i}}), {
    message: /out of range|out of bounds|GatherV2/,
  });
  // One tensor is the example of two inputs.
  const fn = compile(rows, {inputs: {i, j: i}});
  t.deepEqual([...i.dataSync()], [1, 3]);
  const j = tf.tensor1d([2, 2], 'int32');
  const results = fn({i: j, j: i});
  t.deepEqual(
    results.map(result => [...result.dataSync()]),
    [
      [20, 21, 20, 21],
      [1, -1],
    ],
  );
  disposeTensors([results, i, j, table]);
  fn[Symbol.dispose]();
  t.is(tf.memory().numTensors, numTensors);
  const disposed = compile(({x}: {x: tf.Tensor}) => [tf.neg(x)], {inputs: {x: i as tf.Tensor}});
  disposed[Symbol.dispose]();
});
