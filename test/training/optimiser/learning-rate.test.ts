import test from 'ava';
import {learningRate} from '../../../training/optimiser/learning-rate.ts';

const schedule = {peak: 1, floor: 0.1, warmUpSteps: 4, totalSteps: 14};

test('learningRate rises linearly, then falls by a cosine to the floor', t => {
  const rates = [0, 1, 2, 3, 4, 9, 14, 20].map(step => learningRate(step, schedule));
  const expected = [0.325, 0.55, 0.775, 1, 1, 0.55, 0.1, 0.1];
  for (const [index, rate] of rates.entries()) t.true(Math.abs(rate - expected[index]!) < 1e-12, `${index}: ${rate}`);
});

test('learningRate begins at the peak without warm-up', t => {
  t.is(learningRate(0, {...schedule, warmUpSteps: 0}), 1);
});
