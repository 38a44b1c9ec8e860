import type * as tf from '@tensorflow/tfjs';
import type {Kernels, RowPlace} from './kernels/kernels.ts';
import type {LayerMemory, Memory} from './memory.ts';
import {tidy} from './tidy.ts';

/** One document's row in a batch of memories. */
export type MemoryRow = {readonly memory: Memory; readonly row: number};

/** Axis of the documents in each tensor of a layer's memory. */
const documentAxis = {
  rows: 0,
  keys: 1,
  values: 1,
  compressedRows: 0,
  compressedKeys: 1,
  compressedValues: 1,
  attentionMass: 0,
} as const satisfies Record<keyof LayerMemory, number>;

/** Puts copies of rows of several batches side by side into a new one. */
export function gatherMemories(rows: readonly MemoryRow[], kernels: Kernels): Memory {
  const batches = [...new Set(rows.map(({memory}) => memory))];
  const places = rows.map(({memory, row}): RowPlace => [batches.indexOf(memory), row]);
  return tidy(() => {
    const gather = <T extends tf.Tensor>(axis: number, pick: (memory: Memory) => T): T =>
      kernels.gatherRows(batches.map(pick), places, axis);
    return {
      counts: rows.map(({memory, row}) => memory.counts[row]!),
      lastHidden: gather(0, memory => memory.lastHidden),
      layers: batches[0]!.layers.map((layer, index) => {
        const names = Object.keys(layer) as (keyof LayerMemory)[];
        const gathered = names.map(name => [
          name,
          gather<tf.Tensor>(documentAxis[name], memory => memory.layers[index]![name]!),
        ]);
        return Object.fromEntries(gathered) as LayerMemory;
      }),
    };
  });
}
