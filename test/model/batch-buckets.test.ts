import test from 'ava';
import {batchBuckets} from '../../model/batch-buckets.ts';

test('batchBuckets takes powers of two, and pads where that costs less than another call', t => {
  const expected: Record<number, number[]> = {
    1: [1],
    2: [2],
    3: [4],
    4: [4],
    5: [4, 1],
    6: [4, 2],
    7: [8],
    8: [8],
    9: [8, 1],
    12: [8, 4],
    15: [16],
    33: [32, 1],
  };
  for (const [rows, sizes] of Object.entries(expected)) t.deepEqual(batchBuckets(Number(rows)), sizes, rows);
});

test('batchBuckets holds all rows, and no more padding than the last size, whatever the least size', t => {
  for (const least of [1, 2, 4, 16]) {
    for (let rows = 1; rows <= 130; rows++) {
      const sizes = batchBuckets(rows, {least});
      const before = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
      t.true(before < rows && before + sizes.at(-1)! >= rows, `${rows} rows: ${sizes}`);
      t.true(
        sizes.every(size => Number.isInteger(Math.log2(size)) && size >= least),
        `${rows} rows: ${sizes}`,
      );
    }
  }
});
