import test from 'ava';
import {formatRows} from '../../bench/format-rows.ts';
import type {BenchRow} from '../../bench/measure-cell.ts';

const own: BenchRow = {
  configuration: 'A',
  batch: 8,
  precision: 'float32',
  contender: 'palimpsest',
  tokensPerSecond: 3000.4,
  bestTokensPerSecond: 4000,
  gigaflops: 200,
  matmulGflops: 337.2,
};

test('formatRows compares each contender with this project in the same cell', t => {
  const table = formatRows([
    own,
    {...own, contender: 'pytorch', tokensPerSecond: 2000, bestTokensPerSecond: 2500},
    {...own, batch: 1, tokensPerSecond: 1000},
    {...own, batch: 1, contender: 'pytorch', precision: 'bfloat16', tokensPerSecond: 4000},
    {...own, batch: 1, precision: 'bfloat16', tokensPerSecond: 8000, gigaflops: 300},
    {...own, batch: 2, tokensPerSecond: 1000},
    {...own, batch: 2, contender: 'pytorch', precision: 'bfloat16', tokensPerSecond: 4000},
  ]);
  t.deepEqual(
    table.split('\n').map(line => line.split(/\s{2,}/)),
    [
      [
        'cell',
        'contender',
        'precision',
        'tokens/s',
        'palimpsest is',
        'best round',
        'palimpsest is',
        'matmul GFLOP/s',
        'of it',
      ],
      ['A8', 'palimpsest', 'float32', '3,000', '4,000', '337', '59 %'],
      ['A8', 'pytorch', 'float32', '2,000', '1.50×', '2,500', '1.60×', '337', '59 %'],
      ['A1', 'palimpsest', 'float32', '1,000', '4,000', '337', '59 %'],
      ['A1', 'pytorch', 'bfloat16', '4,000', '2.00×', '4,000', '1.00×', '337', '59 %'],
      ['A1', 'palimpsest', 'bfloat16', '8,000', '4,000', '337', '89 %'],
      ['A2', 'palimpsest', 'float32', '1,000', '4,000', '337', '59 %'],
      ['A2', 'pytorch', 'bfloat16', '4,000', '0.25×', '4,000', '1.00×', '337', '59 %'],
    ],
  );
});

test('formatRows compares nothing when this project took no part', t => {
  t.notRegex(formatRows([{...own, contender: 'pytorch'}]), /×/);
});
