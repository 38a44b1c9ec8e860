/** How well excerpts find the other excerpt of their document among all others. */
export type RetrievalScores = {
  /** Share of excerpts whose nearest one is the other excerpt. */
  readonly top1: number;
  /** Share of excerpts that have the other one among the nearest five. */
  readonly top5: number;
  /** Mean of one over the place of the other excerpt. */
  readonly meanReciprocalRank: number;
};

/**
 * Ranks for each excerpt all others by similarity. What is as near as the other excerpt counts as nearer, so that vectors that are all alike score
 * nothing.
 *
 * @param similarities Row by row. [n, n]
 * @param partners For each excerpt the index of the other one of its document. [n]
 * @throws {RangeError} If a similarity is not a number.
 */
export function retrievalScores(similarities: Float64Array, partners: readonly number[]): RetrievalScores {
  const n = partners.length;
  let top1 = 0;
  let top5 = 0;
  let reciprocals = 0;
  for (const [query, partner] of partners.entries()) {
    const row = similarities.subarray(query * n, (query + 1) * n);
    if (row.some(Number.isNaN))
      throw new RangeError(`Cannot rank as similarities must be numbers: one of excerpt ${query} is NaN`);
    const rank =
      1 + row.reduce((nearer, value, i) => nearer + Number(i !== query && i !== partner && value >= row[partner]!), 0);
    top1 += Number(rank === 1);
    top5 += Number(rank <= 5);
    reciprocals += 1 / rank;
  }
  return {top1: top1 / n, top5: top5 / n, meanReciprocalRank: reciprocals / n};
}
