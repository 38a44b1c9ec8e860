import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {availableParallelism, cpus, tmpdir} from 'node:os';
import {join} from 'node:path';
import {cacheFolder} from '../model/engine/cache-folder.ts';
import {type BenchCell, benchCells} from './bench-cell.ts';
import type {Contender} from './contender.ts';
import {formatTable} from './format-table.ts';
import {hasBfloat16} from './has-bfloat16.ts';
import {median} from './median.ts';
import {readProgram} from './read-program.ts';
import {startContender} from './start-contender.ts';

readProgram({
  command: 'npm run bench:compile',
  about: `Measures what compiling takes: the seconds that the first step of a process takes beyond a later one, recorded and found in the cache of
compiled graphs, which those of training are not kept in.`,
  options: {},
});

const works = [
  {work: 'inference', program: 'contenders/palimpsest.js', cells: benchCells, cached: true},
  {
    work: 'training',
    program: 'contenders/palimpsest-training.js',
    cells: benchCells.filter(({name}) => name === 'B16'),
    cached: false,
  },
];
const precisions = hasBfloat16() ? (['float32', 'bfloat16'] as const) : (['float32'] as const);
const threads = availableParallelism();
const laterSteps = 5;

// A cache without graphs, with the engines that are installed.
const folder = mkdtempSync(join(tmpdir(), 'palimpsest-cache-'));
symlinkSync(join(cacheFolder(), 'native'), join(folder, 'native'));
process.env.PALIMPSEST_CACHE = folder;
try {
  const rows: string[][] = [];
  for (const {work, program, cells, cached} of works) {
    for (const cell of cells) {
      for (const precision of precisions) {
        const contender = {name: 'palimpsest', precision, language: 'node', program} as const;
        const recorded = await beyondLater(contender, cell);
        const found = cached ? (await beyondLater(contender, cell)).toFixed(2) : '';
        rows.push([work, cell.name, precision, recorded.toFixed(2), found]);
      }
    }
  }
  console.log(`${cpus()[0]?.model.trim() ?? 'Unknown processor'}; ${threads} threads\n`);
  console.log(formatTable(['', 'cell', 'precision', '>recorded, s', '>found in the cache, s'], rows));
} finally {
  rmSync(folder, {recursive: true});
}

/** Seconds that the first step of a process takes beyond a later one. */
async function beyondLater(contender: Contender, cell: BenchCell): Promise<number> {
  await using process = await startContender(contender, {cell, python: '', threads});
  const first = await process.runSteps(1);
  const later: number[] = [];
  for (let i = 0; i < laterSteps; i++) later.push(await process.runSteps(1));
  return first - median(later);
}
