import {type SummaryParts, summaryPartNames} from '../../model/summary/summary-head.ts';
import {type RetrievalScores, retrievalScores} from './retrieval-scores.ts';

export type ChooseSharesOptions = {
  /** For each excerpt the index of the other one of its document. [n] */
  readonly partners: readonly number[];
  /** Parts that may have a share. */
  readonly parts: readonly (keyof SummaryParts)[];
};

/** The shares that find most, and how well they find. */
export type ChosenShares = {
  readonly shares: SummaryParts;
  readonly scores: RetrievalScores;
};

/** Shares are multiples of 1 / 20. */
const steps = 20;

/**
 * The shares of a cosine by which excerpts find the other one of their document best, by mean reciprocal rank. Where several do equally well, it takes the
 * middle one in an order in which earlier parts come to have less.
 *
 * @param similarities Of each part, row by row. [n, n]
 */
export function chooseShares(
  similarities: Readonly<Record<keyof SummaryParts, Float64Array>>,
  {partners, parts}: ChooseSharesOptions,
): ChosenShares {
  let best: ChosenShares[] = [];
  for (let first = steps; first >= 0; first--) {
    for (let second = steps - first; second >= 0; second--) {
      const shares = {
        lexical: first / steps,
        sketch: second / steps,
        transformer: (steps - first - second) / steps,
      };
      if (summaryPartNames.some(name => shares[name] > 0 && !parts.includes(name))) continue;
      const mixed = similarities.lexical.map((_, i) =>
        summaryPartNames.reduce((sum, name) => sum + shares[name] * similarities[name][i]!, 0),
      ); // [n, n]
      const scores = retrievalScores(mixed, partners);
      const most = best[0]?.scores.meanReciprocalRank ?? 0;
      if (scores.meanReciprocalRank > most) best = [];
      if (scores.meanReciprocalRank >= most) best.push({shares, scores});
    }
  }
  return best[Math.floor(best.length / 2)]!;
}
