import {ModelError} from '../errors.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerMemory, Memory} from './memory.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
import type {ModelConfig} from './model-config.ts';
import type {PreparedWeights} from './prepare-weights.ts';
import {projectMemory} from './project-memory.ts';
import {tf} from './tf.ts';
import {tidy} from './tidy.ts';

/**
 * Brings a snapshot back into the engine as the memory of one document.
 *
 * Rows are projected with the matrices that projected them when they were new, so that the projections are the same to the bit: a column
 * of a product does not depend on which others stand beside it.
 *
 * @throws {ModelError} If the snapshot's tensors do not have the configuration's shapes.
 */
export function restoreMemory(
  snapshot: MemorySnapshot,
  {config, weights, kernels}: {config: ModelConfig; weights: PreparedWeights; kernels: Kernels},
): Memory {
  const {layers, heads, modelWidth: d, memoryLength, compressedMemoryLength, compressor} = config;
  const {memoryCount, compressedMemoryCount, tensors} = snapshot;
  const expect = (name: string, shape: readonly number[]): Float32Array => {
    const tensor = tensors[name];
    if (tensor === undefined || !hasShape(tensor, shape)) {
      throw new ModelError(
        `Cannot restore a memory as its tensor "${name}" must have shape [${shape}]: current value is ${
          tensor === undefined ? 'no tensor' : `[${tensor.shape}]`
        }`,
      );
    }
    return tensor.data;
  };
  if (memoryCount > memoryLength || compressedMemoryCount > compressedMemoryLength) {
    throw new ModelError(
      `Cannot restore a memory as it may fill at most ${memoryLength} and ${compressedMemoryLength} slots: current values are ${memoryCount} and ${compressedMemoryCount}`,
    );
  }
  const rows = memoryLength > 0 ? expect('memory', [layers, memoryCount, d]) : undefined;
  const compressed =
    compressedMemoryLength > 0 ? expect('compressedMemory', [layers, compressedMemoryCount, d]) : undefined;
  const hasMass = compressor === 'most-used' && rows !== undefined && compressed !== undefined;
  const mass = hasMass ? expect('attentionMass', [layers, memoryCount]) : undefined;

  return tidy(() => ({
    counts: [{memory: memoryCount, compressed: compressedMemoryCount}],
    lastHidden: tf.tensor2d(expect('lastHidden', [d]), [1, d]),
    layers: weights.layers.map((layer, index): LayerMemory => {
      const remembered = rows && aligned(rows, {index, filled: memoryCount, slots: memoryLength, size: d});
      const compressedRows =
        compressed &&
        aligned(compressed, {index, filled: compressedMemoryCount, slots: compressedMemoryLength, size: d});
      const attentionMass = mass && aligned(mass, {index, filled: memoryCount, slots: memoryLength, size: 1});
      return projectMemory(
        {
          ...(remembered && {rows: remembered}),
          ...(compressedRows && {compressedRows}),
          ...(attentionMass && {attentionMass: tf.reshape(attentionMass, [1, memoryLength]) as tf.Tensor2D}),
        },
        {weights: layer, heads, kernels},
      );
    }),
  }));
}

function hasShape({shape, data}: TensorData, expected: readonly number[]): boolean {
  const size = expected.reduce((product, length) => product * length, 1);
  return data.length === size && shape.length === expected.length && shape.every((length, i) => length === expected[i]);
}

/** Layer `index` of [l, filled, size] as [1, slots, size], filled from the right. */
function aligned(
  data: Float32Array,
  {index, filled, slots, size}: {index: number; filled: number; slots: number; size: number},
): tf.Tensor3D {
  const padded = new Float32Array(slots * size);
  padded.set(data.subarray(index * filled * size, (index + 1) * filled * size), (slots - filled) * size);
  return tf.tensor3d(padded, [1, slots, size]);
}
