/**
 * Cosines of texts by TF-IDF of terms that are given: 1 + ln(tf) times 1 + ln((1 + n) / (1 + df)), fitted on the texts themselves.
 *
 * @param texts Terms of each text.
 * @returns Row by row. [n, n]
 */
export function termSimilarities(texts: readonly Iterable<string | number>[]): Float64Array {
  const n = texts.length;
  /** For each term, pairs of a text and how often it has the term. */
  const postings = new Map<string | number, number[]>();
  for (const [index, text] of texts.entries()) {
    for (const [term, count] of countTerms(text)) {
      const posting = postings.get(term);
      // Only what two texts share makes them alike, but all of it makes their lengths.
      if (posting === undefined) postings.set(term, [index, count]);
      else posting.push(index, count);
    }
  }
  const products = new Float64Array(n * n);
  for (const posting of postings.values()) {
    const idf = 1 + Math.log((1 + n) / (1 + posting.length / 2));
    for (let a = 0; a < posting.length; a += 2) {
      const weight = (1 + Math.log(posting[a + 1]!)) * idf;
      for (let b = 0; b <= a; b += 2) {
        products[posting[a]! * n + posting[b]!]! += weight * (1 + Math.log(posting[b + 1]!)) * idf;
      }
    }
  }
  const lengths = texts.map((_, i) => Math.sqrt(products[i * n + i]!) || 1);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      products[i * n + j]! /= lengths[i]! * lengths[j]!;
      products[j * n + i] = products[i * n + j]!;
    }
  }
  return products;
}

function countTerms(terms: Iterable<string | number>): Map<string | number, number> {
  const counts = new Map<string | number, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
