import test from 'ava';
import {median} from '../../bench/median.ts';

test('median is the middle of an odd number of values, in any order', t => {
  t.is(median([10, 9, 100]), 10);
  t.is(median([7]), 7);
});

test('median is the mean of the middle two of an even number of values', t => {
  t.is(median([4, 1, 3, 100]), 3.5);
});

test('median leaves its input as it was', t => {
  const values = [3, 1, 2];
  median(values);
  t.deepEqual(values, [3, 1, 2]);
});

test('median refuses no values', t => {
  t.throws(() => median([]), {instanceOf: RangeError, message: /at least one value/});
});
