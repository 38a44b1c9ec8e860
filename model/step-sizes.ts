import {batchBuckets} from './batch-buckets.ts';

export type StepSizesOptions = {
  readonly segmentLength: number;
  /** Whether each size has to be compiled before its first step. */
  readonly compiled: boolean;
};

/** Rows of matrices that processors take at once: with fewer, products add up in another order. */
const processorRows = 16;

/** Segments of which any number begin where a processor's work on rows may begin. */
const alignment = 8;

/** Rows that are padded in vain before another size is compiled: about what compiling costs (docs/compile.md). */
const patience = 32;

/**
 * Chooses the sizes of batches so that a row gives the same bits whatever it shares a batch with.
 *
 * Sizes are powers of two, so that few have to be compiled. One that is not yet compiled is passed over for a larger one that is, until that has
 * cost as much as compiling.
 */
export class StepSizes {
  readonly #options: StepSizesOptions;
  readonly #compiled = new Set<number>();
  #padded = 0;

  constructor(options: StepSizesOptions) {
    this.#options = options;
  }

  /** Sizes of batches for a number of rows, which fill them in order; the last may be larger than what is left for it. */
  take(rows: number): readonly number[] {
    const {segmentLength, compiled} = this.#options;
    // A row's place within a batch would show in its last bits: it has to be always the same.
    if (segmentLength % alignment !== 0) return new Array<number>(rows).fill(1);
    const least = Math.ceil(processorRows / segmentLength);
    if (!compiled) return [Math.max(rows, least)];
    const best = batchBuckets(rows, {least});
    const ready = Math.min(...[...this.#compiled].filter(size => size >= rows));
    if (Number.isFinite(ready) && best.some(size => !this.#compiled.has(size))) {
      this.#padded += ready - rows;
      if (this.#padded <= patience) return [ready];
      this.#padded = 0;
    }
    for (const size of best) this.#compiled.add(size);
    return best;
  }
}
