import test from 'ava';
import {cosineSimilarities} from '../../../training/retrieval/cosine-similarities.ts';
import {retrievalScores} from '../../../training/retrieval/retrieval-scores.ts';

const near = (a: number, b: number) => Math.abs(a - b) < 1e-12;

test('retrievalScores ranks the other excerpt among all others', t => {
  // Excerpts on a line of angles; 0 and 1 belong together, 2 and 3, 4 and 5.
  const angles = [0, 0.1, 0.35, 1, 1.2, 1.25];
  const similarities = cosineSimilarities(angles.map(angle => [Math.cos(angle), Math.sin(angle)]));
  // Ranks of the other one: 1, 1, 3 (after 1 and 0), 3 (after 4 and 5), 1, 1.
  const {top1, top5, meanReciprocalRank} = retrievalScores(similarities, [1, 0, 3, 2, 5, 4]);
  t.true(near(top1, 4 / 6));
  t.is(top5, 1);
  t.true(near(meanReciprocalRank, (4 + 2 / 3) / 6));
});

test('retrievalScores tells the nearest five from the sixth', t => {
  const angles = [0, 0.6, 0.1, 0.2, 0.3, 0.4, 0.5, 3];
  const similarities = cosineSimilarities(angles.map(angle => [Math.cos(angle), Math.sin(angle)]));
  // From 0, its other one at 0.6 is sixth; from 0.6, the one at 0 is sixth as well.
  const {top5} = retrievalScores(similarities, [1, 0, 3, 2, 5, 4, 7, 6]);
  t.is(top5, 5 / 8);
});

test('retrievalScores gives nothing to vectors that are all alike', t => {
  const {top1, meanReciprocalRank} = retrievalScores(cosineSimilarities([[1], [1], [1], [1]]), [1, 0, 3, 2]);
  t.is(top1, 0);
  t.true(near(meanReciprocalRank, 1 / 3));
});

test('retrievalScores refuses what is not a number', t => {
  t.throws(() => retrievalScores(new Float64Array(16).fill(Number.NaN), [1, 0, 3, 2]), {instanceOf: RangeError});
});

test('cosineSimilarities gives cosines, and 0 with a vector of zeros', t => {
  const similarities = cosineSimilarities([
    [3, 4],
    [-6, -8],
    [4, -3],
    [0, 0],
  ]);
  const expected = [1, -1, 0, 0, -1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
  t.true(similarities.every((value, i) => near(value, expected[i]!)));
  t.throws(() => cosineSimilarities([[1, 2], [1]]), {instanceOf: RangeError, message: /vector 1 has 1/});
});
