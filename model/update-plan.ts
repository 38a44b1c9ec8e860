import {evictionWindows} from './eviction-windows.ts';
import type {MemoryCounts} from './memory-counts.ts';
import {updateCounts} from './memory-counts.ts';
import type {ModelConfig} from './model-config.ts';
import {tf} from './tf.ts';

/**
 * How one step moves rows between tiers; the same for every layer. Without picks, all documents move alike.
 *
 * Rows per document: e = E·c + a evicted ones with those that the compressor looks ahead, s = n_cm + E compressed ones.
 */
export type UpdatePlan = {
  /** Picks evicted rows, right-aligned, from [B·T]. int32 [B·e] */
  readonly evicted?: tf.Tensor1D;
  /** Picks the new compressed memory from [B·s]. int32 [B·n_cm] */
  readonly compressed?: tf.Tensor1D;
  /** The same for projections, from [H·B·s]. int32 [H·B·n_cm] */
  readonly compressedProjections?: tf.Tensor1D;
  /** Most-used only: which rows of the E·c are evicted. bool [B, E·c] */
  readonly isEvicted?: tf.Tensor2D;
  /** Most-used only: windows that each document fills. [B, 1] */
  readonly evictedWindows?: tf.Tensor2D;
};

/** Plans the update of documents with the given counts. Tensors belong to the caller. */
export function planUpdate(counts: readonly MemoryCounts[], config: ModelConfig): UpdatePlan {
  const {segmentLength: n, memoryLength, compressedMemoryLength, compressionRate: c, heads} = config;
  if (compressedMemoryLength === 0) return {};
  const updates = counts.map(count => updateCounts(count, config));
  const {windows, lookAhead} = evictionWindows(config);

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
  if (n % c === 0 && memoryLength % c === 0) return {...mostUsed};

  const available = memoryLength + n;
  const evicted = updates.flatMap((update, row) =>
    Array.from({length: windows * c + lookAhead}, (_, j) => {
      const slot = available - update.counts.memory - windows * c + j;
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
    ...mostUsed,
    evicted: tf.tensor1d(evicted, 'int32'),
    compressed: tf.tensor1d(compressed, 'int32'),
    compressedProjections: tf.tensor1d(projections, 'int32'),
  };
}
