import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {openEngine} from '../../model/engine/engine.ts';
import {composedKernels} from '../../model/kernels/composed-kernels.ts';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import type {RowPlace} from '../../model/kernels/kernels.ts';

/** Numbers that are all different. */
function numbered(shape: number[], from: number): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({length: size}, (_, i) => from + i),
    shape,
  );
}

/** The same by loops over numbers. */
function expected(tensors: readonly tf.Tensor[], places: readonly RowPlace[], axis: number): Float32Array {
  const {shape} = tensors[0]!;
  const outer = shape.slice(0, axis).reduce((product, length) => product * length, 1);
  const size = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const numbers = new Float32Array(outer * places.length * size);
  const data = tensors.map(tensor => tensor.dataSync());
  for (let part = 0; part < outer; part++) {
    for (const [index, [tensor, row]] of places.entries()) {
      const start = (part * tensors[tensor]!.shape[axis]! + row) * size;
      numbers.set(data[tensor]!.subarray(start, start + size), (part * places.length + index) * size);
    }
  }
  return numbers;
}

const bytes = ({buffer, byteOffset, byteLength}: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);

const cases = [
  {shapes: [[3, 5]], axis: 0, places: [[0, 2]]},
  {
    shapes: [
      [2, 7, 3],
      [1, 7, 3],
      [4, 7, 3],
    ],
    axis: 0,
    places: [
      [2, 3],
      [0, 1],
      [1, 0],
      [2, 0],
      [2, 3],
    ],
  },
  {
    shapes: [
      [2, 3, 4, 16],
      [2, 1, 4, 16],
    ],
    axis: 1,
    places: [
      [1, 0],
      [0, 0],
      [0, 2],
      [0, 1],
    ],
  },
  // Large enough to be copied past the cache, where a vector begins and where not.
  {
    shapes: [
      [2, 3, 256, 256],
      [2, 5, 256, 256],
    ],
    axis: 1,
    places: [
      [1, 4],
      [0, 1],
      [1, 0],
      [0, 0],
      [0, 2],
    ],
  },
  {
    shapes: [
      [3, 700, 333],
      [2, 700, 333],
    ],
    axis: 0,
    places: [
      [1, 1],
      [0, 2],
      [0, 0],
      [1, 0],
    ],
  },
  {shapes: Array.from({length: 70}, () => [1, 3]), axis: 0, places: Array.from({length: 70}, (_, i) => [69 - i, 0])},
] as {shapes: number[][]; axis: number; places: RowPlace[]}[];

for (const engine of ['native', 'wasm', 'cpu'] as const) {
  test.serial(`gatherRows copies rows of several tensors side by side: ${engine}`, async t => {
    await openEngine(engine);
    const fused = fusedKernels();
    t.is(fused !== undefined, engine === 'native');
    for (const kernels of [composedKernels, ...(fused ? [fused] : [])]) {
      for (const {shapes, axis, places} of cases) {
        tf.tidy(() => {
          const tensors = shapes.map((shape, i) => numbered(shape, 100_000 * i));
          const gathered = kernels.gatherRows(tensors, places, axis);
          const [shape] = shapes;
          t.deepEqual(gathered.shape, shape!.with(axis, places.length));
          t.true(bytes(gathered.dataSync()).equals(bytes(expected(tensors, places, axis))), `${shapes[0]}`);
        });
      }
    }
    t.is(tf.memory().numTensors, 0);
  });
}

test.serial('gatherRows of the native engine refuses places where no row is', async t => {
  await openEngine('native');
  const tensor = tf.ones([2, 3]);
  for (const place of [
    [0, 2],
    [0, -1],
    [1, 0],
  ] as RowPlace[]) {
    t.throws(() => fusedKernels()!.gatherRows([tensor], [place], 0), {message: /each place must be in a tensor/});
  }
  tensor.dispose();
});
