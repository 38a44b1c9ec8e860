import test from 'ava';
import {StepSizes} from '../../model/step-sizes.ts';

test('StepSizes passes over sizes that are not compiled until their padding has cost as much as compiling', t => {
  const sizes = new StepSizes({segmentLength: 128, compiled: true});
  t.deepEqual(sizes.take(8), [8]);
  t.deepEqual(sizes.take(5), [8]);
  t.deepEqual(sizes.take(8), [8]);
  // 3 rows of padding each; 32 are allowed.
  for (let step = 0; step < 9; step++) t.deepEqual(sizes.take(5), [8], `step ${step}`);
  t.deepEqual(sizes.take(5), [4, 1]);
  t.deepEqual(sizes.take(4), [4]);
  t.deepEqual(sizes.take(2), [4]);
});

test('StepSizes compiles what is larger than all that is compiled at once', t => {
  const sizes = new StepSizes({segmentLength: 128, compiled: true});
  for (const rows of [1, 2, 4, 8]) t.deepEqual(sizes.take(rows), [rows]);
});

test('StepSizes takes what comes as one batch when nothing is compiled', t => {
  const sizes = new StepSizes({segmentLength: 16, compiled: false});
  for (const rows of [1, 5, 7, 100]) t.deepEqual(sizes.take(rows), [rows]);
});

test('StepSizes fills up batches whose matrices have fewer rows than processors take at once', t => {
  t.deepEqual(new StepSizes({segmentLength: 8, compiled: false}).take(1), [2]);
  t.deepEqual(new StepSizes({segmentLength: 8, compiled: true}).take(1), [2]);
  t.deepEqual(new StepSizes({segmentLength: 8, compiled: true}).take(4), [4]);
});

test('StepSizes steps segments one by one whose places in a batch would show in their bits', t => {
  for (const compiled of [false, true]) {
    t.deepEqual(new StepSizes({segmentLength: 15, compiled}).take(3), [1, 1, 1]);
  }
});
