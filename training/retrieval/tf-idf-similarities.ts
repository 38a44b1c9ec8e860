/** What TF-IDF counts: words of two letters or more, or all strings of three to five characters. */
export type TfIdfTerms = 'words' | 'characters';

/**
 * Cosines of texts by TF-IDF, in lower case: 1 + ln(tf) times 1 + ln((1 + n) / (1 + df)), as scikit-learn's TfidfVectorizer computes with
 * `sublinear_tf`, fitted on the texts themselves.
 *
 * @returns Row by row. [n, n]
 */
export function tfIdfSimilarities(texts: readonly string[], {terms}: {readonly terms: TfIdfTerms}): Float64Array {
  const n = texts.length;
  /** For each term, pairs of a text and how often it has the term. */
  const postings = new Map<string, number[]>();
  for (const [index, text] of texts.entries()) {
    for (const [term, count] of countTerms(text.toLowerCase(), terms)) {
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

function countTerms(text: string, terms: TfIdfTerms): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (term: string): void => {
    counts.set(term, (counts.get(term) ?? 0) + 1);
  };
  if (terms === 'words') {
    for (const word of text.match(/[\p{L}\p{N}_]{2,}/gu) ?? []) add(word);
    return counts;
  }
  const characters = text.replaceAll(/\s+/g, ' ');
  for (let length = 3; length <= 5; length++) {
    for (let start = 0; start + length <= characters.length; start++) add(characters.slice(start, start + length));
  }
  return counts;
}
