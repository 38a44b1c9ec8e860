import {termSimilarities} from './term-similarities.ts';

/** What TF-IDF counts: words of two letters or more, or all strings of three to five characters. */
export type TfIdfTerms = 'words' | 'characters';

/**
 * Cosines of texts by TF-IDF, in lower case: 1 + ln(tf) times 1 + ln((1 + n) / (1 + df)), as scikit-learn's TfidfVectorizer computes with
 * `sublinear_tf`, fitted on the texts themselves.
 *
 * @returns Row by row. [n, n]
 */
export function tfIdfSimilarities(texts: readonly string[], {terms}: {readonly terms: TfIdfTerms}): Float64Array {
  return termSimilarities(texts.map(text => termsOf(text.toLowerCase(), terms)));
}

function* termsOf(text: string, terms: TfIdfTerms): Generator<string> {
  if (terms === 'words') {
    yield* text.match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
    return;
  }
  const characters = text.replaceAll(/\s+/g, ' ');
  for (let length = 3; length <= 5; length++) {
    for (let start = 0; start + length <= characters.length; start++) yield characters.slice(start, start + length);
  }
}
