import type * as tf from '@tensorflow/tfjs';
import type {Kernels, RowPlace} from './kernels/kernels.ts';
import type {LayerMemory, Memory} from './memory.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';

/**
 * Copies the filled slots of some rows of a batch of memories out of the engine, a kind of tensor of all layers and rows at once. Rows whose slots
 * are all filled share one buffer, which nothing else has.
 */
export function snapshotMemories(memory: Memory, rows: readonly number[], kernels: Kernels): MemorySnapshot[] {
  const {layers: all} = memory;
  const places = rows.flatMap(row => all.map((_, layer): RowPlace => [layer, row]));
  const cut = (slots: (row: number) => number, pick: (layer: LayerMemory) => tf.Tensor | undefined): TensorData[] => {
    const copies = kernels.gatherRows(
      all.map(layer => pick(layer)!),
      places,
      0,
    ); // [rows·l, slots, …]
    const [, allSlots, ...rest] = copies.shape as [number, number, ...number[]];
    const data = copies.dataSync() as Float32Array;
    copies.dispose();
    const size = rest.reduce((product, length) => product * length, 1);
    const rowSize = all.length * allSlots * size;
    return rows.map((row, position) => {
      const filled = slots(row);
      const ofRow = data.subarray(position * rowSize, (position + 1) * rowSize);
      return {
        shape: [all.length, filled, ...rest],
        data: filled === allSlots ? ofRow : lastSlots(ofRow, {layers: all.length, length: filled * size}),
      };
    });
  };
  const counts = (row: number) => memory.counts[row]!;
  const first = all[0]!;
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
  const width = lastHidden.length / memory.counts.length;
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
