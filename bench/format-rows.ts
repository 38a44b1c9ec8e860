import {formatTable} from './format-table.ts';
import type {BenchRow} from './measure-cell.ts';

/** A table of results; each is compared with this project's in the same cell, if it took part. */
export function formatRows(rows: readonly BenchRow[]): string {
  return formatTable(
    ['cell', 'contender', 'precision', '>tokens/s', '>palimpsest is', '>matmul GFLOP/s'],
    rows.map(row => {
      const own = rows.find(
        ({contender, configuration, batch}) =>
          contender === 'palimpsest' && configuration === row.configuration && batch === row.batch,
      );
      const ratio =
        own === undefined || own === row ? '' : `${(own.tokensPerSecond / row.tokensPerSecond).toFixed(2)}×`;
      return [
        `${row.configuration}${row.batch}`,
        row.contender,
        row.precision,
        Math.round(row.tokensPerSecond).toLocaleString('en'),
        ratio,
        Math.round(row.matmulGflops).toString(),
      ];
    }),
  );
}
