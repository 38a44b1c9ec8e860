import * as tf from '@tensorflow/tfjs';
import type {LayerMemory, Memory} from './memory.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
import {tidy} from './tidy.ts';

/**
 * Copies the filled slots of some rows of a batch of memories out of the engine, a kind of tensor of all layers and rows at once. Rows whose slots
 * are all filled share one buffer, which nothing else has.
 */
export function snapshotMemories(memory: Memory, rows: readonly number[]): MemorySnapshot[] {
  const batch = memory.counts.length;
  const everyRow = rows.length === batch && rows.every((row, position) => row === position);
  const read = (tensors: readonly tf.Tensor[]): {shape: number[]; data: Float32Array} => {
    const chosen = tidy(() => {
      const layers = tf.stack([...tensors], 1); // [B, l, slots, …]
      // One tensor is not copied when it is stacked, and may be read where it lies.
      const copied = everyRow && tensors.length > 1;
      return copied ? layers : tf.gather(layers, tf.tensor1d([...rows], 'int32')); // [rows, l, slots, …]
    });
    // Not within `tidy`, which looks for tensors at every number of an array that it gives back.
    const data = chosen.dataSync() as Float32Array;
    chosen.dispose();
    return {shape: chosen.shape.slice(1), data};
  };
  const cut = (slots: (row: number) => number, pick: (layer: LayerMemory) => tf.Tensor | undefined): TensorData[] => {
    const {shape, data} = read(memory.layers.map(layer => pick(layer)!));
    const [layers, allSlots, ...rest] = shape as [number, number, ...number[]];
    const size = rest.reduce((product, length) => product * length, 1);
    const rowSize = layers * allSlots * size;
    return rows.map((row, position) => {
      const filled = slots(row);
      const all = data.subarray(position * rowSize, (position + 1) * rowSize);
      return {
        shape: [layers, filled, ...rest],
        data: filled === allSlots ? all : lastSlots(all, {layers, length: filled * size}),
      };
    });
  };
  const counts = (row: number) => memory.counts[row]!;
  const first = memory.layers[0]!;
  const uncompressed =
    first.rows &&
    cut(
      row => counts(row).memory,
      layer => layer.rows,
    );
  const compressed =
    first.compressedRows &&
    cut(
      row => counts(row).compressed,
      layer => layer.compressedRows,
    );
  const mass =
    first.attentionMass &&
    cut(
      row => counts(row).memory,
      layer => layer.attentionMass,
    );
  const lastHidden = memory.lastHidden.dataSync() as Float32Array; // [B, d]
  const width = lastHidden.length / batch;
  return rows.map((row, position) => ({
    memoryCount: counts(row).memory,
    compressedMemoryCount: counts(row).compressed,
    tensors: {
      ...(uncompressed && {memory: uncompressed[position]!}),
      ...(compressed && {compressedMemory: compressed[position]!}),
      ...(mass && {attentionMass: mass[position]!}),
      lastHidden: {shape: [width], data: lastHidden.slice(row * width, (row + 1) * width)},
    },
  }));
}

/** The last numbers of each layer. */
function lastSlots(data: Float32Array, {layers, length}: {layers: number; length: number}): Float32Array {
  const layerSize = data.length / layers;
  const last = new Float32Array(layers * length);
  for (let layer = 0; layer < layers; layer++) {
    last.set(data.subarray((layer + 1) * layerSize - length, (layer + 1) * layerSize), layer * length);
  }
  return last;
}
