import test from 'ava';
import {tfIdfSimilarities} from '../../../training/retrieval/tf-idf-similarities.ts';

const texts = [
  'The whale, the white whale! It swam on and on.',
  'A whale of a tale: été swam, it swam.',
  'Count me; count the\n  days and the days.',
  'It was the best of times.',
];

/** From scikit-learn 1.9.1: TfidfVectorizer(sublinear_tf=True), for characters with analyzer="char", ngram_range=(3, 5). */
const expected = {
  words: [
    [1.0, 0.3704248324, 0.210655326, 0.1790215633],
    [0.3704248324, 1.0, 0.0, 0.2096037208],
    [0.210655326, 0.0, 1.0, 0.1121795677],
    [0.1790215633, 0.2096037208, 0.1121795677, 1.0],
  ],
  characters: [
    [1.0, 0.2085338579, 0.0783164077, 0.0430319407],
    [0.2085338579, 1.0, 0.0, 0.0302880217],
    [0.0783164077, 0.0, 1.0, 0.049329819],
    [0.0430319407, 0.0302880217, 0.049329819, 1.0],
  ],
} as const;

for (const terms of ['words', 'characters'] as const) {
  test(`tfIdfSimilarities of ${terms} are those of scikit-learn`, t => {
    const similarities = tfIdfSimilarities(texts, {terms});
    for (const [i, value] of expected[terms].flat().entries())
      t.true(Math.abs(similarities[i]! - value) < 1e-9, `${i}`);
  });
}

test('tfIdfSimilarities are 0 for a text without terms', t => {
  t.deepEqual(
    [...tfIdfSimilarities(['', 'word word'], {terms: 'words'})].map(value => Math.round(value * 1e9)),
    [0, 0, 0, 1e9],
  );
});
