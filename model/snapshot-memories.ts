import type * as tf from '@tensorflow/tfjs';
import type {LayerMemory, Memory} from './memory.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';

/** Copies the filled slots of some rows of a batch of memories out of the engine; each tensor is read once for all rows. */
export function snapshotMemories(memory: Memory, rows: readonly number[]): MemorySnapshot[] {
  const batch = memory.counts.length;
  const cut = (slots: (row: number) => number, pick: (layer: LayerMemory) => tf.Tensor | undefined): TensorData[] => {
    const layers = memory.layers.map(pick);
    const shape = layers[0]!.shape.slice(1); // [slots, …]
    const size = shape.slice(1).reduce((product, length) => product * length, 1);
    const filled = rows.map(row => new Float32Array(layers.length * slots(row) * size));
    for (const [index, layer] of layers.entries()) {
      const data = layer!.dataSync() as Float32Array; // [B, slots, …]
      const rowSize = data.length / batch;
      for (const [position, row] of rows.entries()) {
        const length = slots(row) * size;
        filled[position]!.set(data.subarray((row + 1) * rowSize - length, (row + 1) * rowSize), index * length);
      }
    }
    return filled.map((data, position) => ({
      shape: [layers.length, slots(rows[position]!), ...shape.slice(1)],
      data,
    }));
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
