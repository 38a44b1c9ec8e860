import {setImmediate} from 'node:timers/promises';
import type {Model} from '../../model/model.ts';
import type {TransformerSummary} from '../../model/summary/transformer-features.ts';

export type SummariseTokensOptions = {
  /** Texts read side by side. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of tokens read so far. */
  readonly onProgress?: (tokens: number) => void;
};

/** Reads texts with a model, each from an empty memory, and gives what the transformer's part of their vectors is made from. */
export async function summariseTokens(
  model: Model,
  texts: readonly Int32Array[],
  {batch, signal, onProgress = () => {}}: SummariseTokensOptions,
): Promise<TransformerSummary[]> {
  const {segmentLength: n, modelWidth: d} = model.config;
  const summaries: TransformerSummary[] = [];
  let read = 0;
  for (let first = 0; first < texts.length; first += batch) {
    const rows = texts.slice(first, first + batch).map((tokens, row) => ({
      memory: `text ${first + row}`,
      tokens,
      hiddenSum: new Float64Array(d),
    }));
    const memories = rows.map(({memory}) => memory);
    try {
      for (let start = 0; rows.some(({tokens}) => tokens.length > start); start += n) {
        // A model in this thread blocks it: let signals in.
        await setImmediate();
        signal?.throwIfAborted();
        const reading = rows.filter(({tokens}) => tokens.length > start);
        const results = await model.step(
          reading.map(({memory, tokens}) => ({memory, tokens: tokens.slice(start, start + n)})),
        );
        for (const [i, {hiddenSum, tokens}] of reading.entries()) {
          for (const [j, value] of results[i]!.hiddenSum.entries()) hiddenSum[j]! += value;
          read += Math.min(n, tokens.length - start);
        }
        onProgress(read);
      }
      const means = await model.meanCompressed(memories);
      for (const [i, {hiddenSum}] of rows.entries()) summaries.push({hiddenSum, compressedMeans: means[i]!});
    } finally {
      await model.release(memories);
    }
  }
  return summaries;
}
