import test from 'ava';
import {formatRows} from '../../bench/format-rows.ts';
import type {BenchRow} from '../../bench/measure-cell.ts';

const own: BenchRow = {
  configuration: 'A',
  batch: 8,
  precision: 'float32',
  contender: 'palimpsest',
  tokensPerSecond: 3000.4,
  matmulGflops: 337.2,
};

test('formatRows compares each contender with this project in the same cell', t => {
  const table = formatRows([
    own,
    {...own, contender: 'pytorch', tokensPerSecond: 2000},
    {...own, batch: 1, tokensPerSecond: 1000},
    {...own, batch: 1, contender: 'pytorch', precision: 'bfloat16', tokensPerSecond: 4000},
  ]);
  t.deepEqual(
    table.split('\n').map(line => line.split(/\s{2,}/)),
    [
      ['cell', 'contender', 'precision', 'tokens/s', 'palimpsest is', 'matmul GFLOP/s'],
      ['A8', 'palimpsest', 'float32', '3,000', '337'],
      ['A8', 'pytorch', 'float32', '2,000', '1.50×', '337'],
      ['A1', 'palimpsest', 'float32', '1,000', '337'],
      ['A1', 'pytorch', 'bfloat16', '4,000', '0.25×', '337'],
    ],
  );
});

test('formatRows compares nothing when this project took no part', t => {
  t.notRegex(formatRows([{...own, contender: 'pytorch'}]), /×/);
});
