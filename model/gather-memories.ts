import * as tf from '@tensorflow/tfjs';
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

/** Puts rows of several batches side by side into a new one. */
export function gatherMemories(rows: readonly MemoryRow[]): Memory {
  const runs = contiguousRuns(rows);
  return tidy(() => {
    const gather = <T extends tf.Tensor>(axis: number, pick: (memory: Memory) => T): T => {
      const pieces = runs.map(({memory, start, size}) => {
        const tensor = pick(memory);
        const begin = tensor.shape.map(() => 0);
        const extent = tensor.shape.slice();
        begin[axis] = start;
        extent[axis] = size;
        return tf.slice(tensor, begin, extent);
      });
      return (pieces.length === 1 ? pieces[0]! : tf.concat(pieces, axis)) as T;
    };
    const first = rows[0]!.memory;
    return {
      counts: rows.map(({memory, row}) => memory.counts[row]!),
      lastHidden: gather(0, memory => memory.lastHidden),
      layers: first.layers.map((layer, index) => {
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

/** Neighbouring rows of one batch are cut in one piece. */
function contiguousRuns(rows: readonly MemoryRow[]): {memory: Memory; start: number; size: number}[] {
  const runs: {memory: Memory; start: number; size: number}[] = [];
  for (const {memory, row} of rows) {
    const run = runs.at(-1);
    if (run !== undefined && run.memory === memory && run.start + run.size === row) run.size++;
    else runs.push({memory, start: row, size: 1});
  }
  return runs;
}
