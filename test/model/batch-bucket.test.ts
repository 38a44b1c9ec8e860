import test from 'ava';
import {batchBucket} from '../../model/batch-bucket.ts';

test('batchBucket() holds all rows, and fills up at most a third of a batch', t => {
  for (let rows = 1; rows <= 5000; rows++) {
    const bucket = batchBucket(rows);
    t.true(bucket >= rows && bucket - rows < bucket / 3, `${rows}: ${bucket}`);
  }
  t.pass();
});

test('batchBucket() gives few sizes, each of which is its own', t => {
  const sizes = new Set(Array.from({length: 32}, (_, index) => batchBucket(index + 1)));
  t.deepEqual([...sizes], [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]);
  for (const size of sizes) t.is(batchBucket(size), size);
});

test('batchBucket() refuses what is no number of rows', t => {
  for (const rows of [0, -1, 1.5, Number.NaN]) t.throws(() => batchBucket(rows), {instanceOf: RangeError});
});
