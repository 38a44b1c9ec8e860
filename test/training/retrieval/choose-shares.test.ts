import test from 'ava';
import {chooseShares} from '../../../training/retrieval/choose-shares.ts';
import {cosineSimilarities} from '../../../training/retrieval/cosine-similarities.ts';

const partners = [1, 0, 3, 2];
const parts = ['lexical', 'sketch', 'transformer'] as const;
const good = cosineSimilarities([
  [1, 0],
  [1, 0],
  [0, 1],
  [0, 1],
]);
const bad = cosineSimilarities([
  [1, 0],
  [0, 1],
  [1, 0],
  [0, 1],
]);
/** Finds the first document only. */
const half = cosineSimilarities([
  [1, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
]);
/** Finds the second document only. */
const otherHalf = cosineSimilarities([
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0, 0, 1],
]);

test('chooseShares gives all to a part that finds all where the others mislead', t => {
  const {shares, scores} = chooseShares({lexical: bad, sketch: good, transformer: bad}, {partners, parts});
  t.is(scores.top1, 1);
  t.true(shares.sketch > 0.5, JSON.stringify(shares));
  t.is(shares.lexical + shares.sketch + shares.transformer, 1);
});

test('chooseShares mixes parts that each find what the other does not', t => {
  const {shares, scores} = chooseShares({lexical: half, sketch: bad, transformer: otherHalf}, {partners, parts});
  t.is(scores.top1, 1);
  t.true(shares.lexical > 0.1 && shares.transformer > 0.1, JSON.stringify(shares));
});

test('chooseShares takes the middle of what does equally well', t => {
  const {shares} = chooseShares(
    {lexical: half, sketch: bad, transformer: otherHalf},
    {partners, parts: ['lexical', 'transformer']},
  );
  t.deepEqual(shares, {lexical: 0.5, sketch: 0, transformer: 0.5});
});

test('chooseShares gives nothing to parts that may have none', t => {
  const {shares, scores} = chooseShares(
    {lexical: bad, sketch: good, transformer: half},
    {partners, parts: ['transformer']},
  );
  t.deepEqual(shares, {lexical: 0, sketch: 0, transformer: 1});
  t.true(scores.top1 < 1);
});
