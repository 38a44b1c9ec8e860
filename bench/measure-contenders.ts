import type {BenchCell} from './bench-cell.ts';
import type {Contender} from './contender.ts';
import type {ContenderProcess} from './contender-process.ts';
import {type BenchRow, type MeasureCellOptions, measureCell, type RunningContender} from './measure-cell.ts';
import {startContender} from './start-contender.ts';

export type MeasureContendersOptions = Omit<MeasureCellOptions, 'running'> & {
  readonly contenders: readonly Contender[];
  /** The interpreter of those in Python. */
  readonly python: string;
  /** Of each. */
  readonly threads: number;
};

/** Starts contenders, measures them side by side in one cell, and ends them. */
export async function measureContenders(
  cell: BenchCell,
  {contenders, python, threads, ...options}: MeasureContendersOptions,
): Promise<{readonly rows: readonly BenchRow[]; readonly descriptions: readonly string[]}> {
  const running: (RunningContender & {process: ContenderProcess})[] = [];
  try {
    for (const contender of contenders) {
      console.error(`${cell.name}: starting ${contender.name} ${contender.precision}`);
      running.push({contender, process: await startContender(contender, {cell, python, threads})});
    }
    console.error(`${cell.name}: measuring`);
    const rows = await measureCell(cell, {running, ...options});
    return {rows, descriptions: running.map(({contender, process}) => `${contender.name}: ${process.description}`)};
  } finally {
    for (const {process} of running) await process[Symbol.asyncDispose]();
  }
}
