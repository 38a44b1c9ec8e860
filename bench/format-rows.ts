import {formatTable} from './format-table.ts';
import type {BenchRow} from './measure-cell.ts';

/** A table of results; each is compared with this project's in the same cell and, where there is one, the same precision. */
export function formatRows(rows: readonly BenchRow[]): string {
  return formatTable(
    [
      'cell',
      'contender',
      'precision',
      ...['>tokens/s', '>palimpsest is', '>best round', '>palimpsest is'],
      ...['>matmul GFLOP/s', '>of it'],
    ],
    rows.map(row => {
      const ours = rows.filter(
        ({contender, configuration, batch}) =>
          contender === 'palimpsest' && configuration === row.configuration && batch === row.batch,
      );
      const own = ours.find(({precision}) => precision === row.precision) ?? ours[0];
      const speeds = (['tokensPerSecond', 'bestTokensPerSecond'] as const).flatMap(of => [
        Math.round(row[of]).toLocaleString('en'),
        own === undefined || row.contender === 'palimpsest' ? '' : `${(own[of] / row[of]).toFixed(2)}×`,
      ]);
      return [
        `${row.configuration}${row.batch}`,
        row.contender,
        row.precision,
        ...speeds,
        Math.round(row.matmulGflops).toString(),
        `${Math.round((row.gigaflops / row.matmulGflops) * 100)} %`,
      ];
    }),
  );
}
