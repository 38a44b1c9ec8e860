import * as tf from '@tensorflow/tfjs';
import {dilations} from './compressors/dilated-convolution.ts';
import {type MemoryCounts, updateCounts} from './memory-counts.ts';
import type {ModelConfig} from './model-config.ts';

/** How one step moves rows between tiers; the same for every layer. Absent index tensors mean that all documents move alike. */
export type UpdatePlan = {
  /** Counts after the step. */
  readonly counts: readonly MemoryCounts[];
  /** E: windows of c rows set aside for evicted rows. */
  readonly windows: number;
  /** Rows that the compressor looks ahead. */
  readonly lookAhead: number;
  /** Picks evicted rows, right-aligned, from [B·T] with T = n_m + n. [B·(E·c + lookAhead)] */
  readonly evicted?: tf.Tensor1D;
  /** Picks the new compressed memory from [B·(n_cm + E)]. [B·n_cm] */
  readonly compressed?: tf.Tensor1D;
  /** The same for projections, from [H·B·(n_cm + E)]. [H·B·n_cm] */
  readonly compressedProjections?: tf.Tensor1D;
  /** Most-used only: which rows of the E·c are evicted. Boolean [B, E·c] */
  readonly isEvicted?: tf.Tensor2D;
  /** Most-used only: windows that each document fills. [B, 1] */
  readonly evictedWindows?: tf.Tensor2D;
};

/** Plans the update of documents with the given counts. Tensors belong to the caller. */
export function planUpdate(counts: readonly MemoryCounts[], config: ModelConfig): UpdatePlan {
  const {segmentLength: n, memoryLength, compressedMemoryLength, compressionRate: c, heads} = config;
  const updates = counts.map(count => updateCounts(count, config));
  const after = updates.map(update => update.counts);
  const windows = Math.ceil(n / c);
  const lookAhead = config.compressor === 'dilated-convolution' ? dilations.reduce((sum, d) => sum + d, 0) : 0;
  const plan: UpdatePlan = {counts: after, windows, lookAhead};
  if (compressedMemoryLength === 0) return plan;

  const mostUsed = config.compressor === 'most-used' && {
    isEvicted: tf.tensor2d(
      updates.flatMap(({evicted}) => Array.from({length: windows * c}, (_, j) => j >= windows * c - evicted)),
      [counts.length, windows * c],
      'bool',
    ),
    evictedWindows: tf.tensor2d(
      updates.map(({evicted}) => evicted / c),
      [counts.length, 1],
    ),
  };
  // Whole segments then leave in whole windows, so that every document's rows sit at the same places.
  if (n % c === 0 && memoryLength % c === 0) return {...plan, ...mostUsed};

  const available = memoryLength + n;
  const evicted = after.flatMap(({memory}, row) =>
    Array.from({length: windows * c + lookAhead}, (_, j) => {
      const slot = available - memory - windows * c + j;
      return row * available + Math.min(Math.max(slot, 0), available - 1);
    }),
  );
  const candidates = compressedMemoryLength + windows;
  const compressed = updates.flatMap((update, row) =>
    Array.from({length: compressedMemoryLength}, (_, j) => {
      const fromRight = compressedMemoryLength - 1 - j;
      const added = update.evicted / c;
      const slot = fromRight < added ? candidates - 1 - fromRight : compressedMemoryLength - 1 - (fromRight - added);
      return row * candidates + Math.max(slot, 0);
    }),
  );
  const perHead = counts.length * candidates;
  const projections = Array.from({length: heads}, (_, head) => compressed.map(slot => head * perHead + slot)).flat();
  return {
    ...plan,
    ...mostUsed,
    evicted: tf.tensor1d(evicted, 'int32'),
    compressed: tf.tensor1d(compressed, 'int32'),
    compressedProjections: tf.tensor1d(projections, 'int32'),
  };
}
