import {readFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {hasBfloat16} from '../../../../bench/has-bfloat16.ts';
import {fusedFolder} from '../../../../model/engine/fused-sources.ts';
import {instructionSets} from '../../../../model/engine/instruction-sets.ts';
import {runCommand} from '../../../../model/engine/run-command.ts';
import type {Precision} from '../../../../model/precision.ts';

/** What `compare-products.cc` prints. */
type Comparison = {
  readonly by: `${'float32' | 'bfloat16'} by ${'vectors' | 'tiles' | 'bytes'}`;
  readonly what: string;
  readonly distance: number;
  readonly alike: boolean;
};

/** Rounding to bfloat16 moves a factor by 1/512 at most. */
const allowed = {float32: 1e-6, bfloat16: 0.005};

/** Compiles the matrix unit's ways too where the processor has all else that they need. */
const emulation = [
  '-mamx-tile',
  '-mamx-bf16',
  '-mamx-int8',
  ...['-include', 'test/model/engine/fused/emulated-matrix-unit.h'],
] as const;

// The engine takes one way to multiply in each precision, the fastest of the processor, and one size of vectors; the others would go untested where it has
// more than one.
const processors =
  process.arch === 'x64'
    ? (['-march=native', '-march=haswell', '-march=x86-64'] as const)
    : (['-mcpu=native'] as const);

for (const processor of processors) {
  test(`Products and attention are as exact by each way to multiply, and do not depend on how many rows there are, compiled by ${processor}`, async t => {
    t.timeout(300_000);
    const folder = await mkdtemp(join(tmpdir(), 'palimpsest-products-'));
    t.teardown(() => rm(folder, {recursive: true}));
    const program = join(folder, 'compare-products');
    const bfloat16 = processor === '-march=native' && hasBfloat16();
    const emulated = bfloat16 && !instructionSets(readFileSync('/proc/cpuinfo', 'utf8')).includes('amx_int8');
    await runCommand([
      ...(['g++', '-std=c++17', '-O1', '-fno-math-errno', processor, `-I${fusedFolder}`] as const),
      ...(emulated ? emulation : []),
      ...['test/model/engine/fused/compare-products.cc', '-o', program, '-lpthread'],
    ]);
    const comparisons = (await runCommand([program]))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Comparison);
    t.is(comparisons.filter(({by}) => by === 'float32 by vectors').length, 23);
    t.is(comparisons.filter(({by}) => by === 'bfloat16 by vectors').length, bfloat16 ? 23 : 0);
    t.is(comparisons.filter(({by}) => by === 'float32 by bytes').length, bfloat16 ? 27 : 0);
    t.is(comparisons.filter(({by}) => by === 'bfloat16 by tiles').length, bfloat16 ? 23 : 0);
    const ways = [...new Set(comparisons.map(({by}) => by))].join(', ');
    t.log(`ways to multiply: ${ways}${emulated ? '; the matrix unit is emulated' : ''}`);
    for (const {by, what, distance, alike} of comparisons) {
      if (what === 'product 200,2100,40') t.log(`${what} by ${by}: ${distance}`);
      // A number thirty times as great as the others of its row leaves them five bits fewer.
      const most = what.endsWith('of uneven numbers') ? 1e-5 : allowed[by.split(' ')[0] as Precision];
      t.true(distance < most, `${what} by ${by}: ${distance}`);
      t.true(alike, `${what} by ${by} are alike`);
    }
  });
}
