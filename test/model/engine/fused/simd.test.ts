import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {fusedFolder} from '../../../../model/engine/fused-sources.ts';
import {runCommand} from '../../../../model/engine/run-command.ts';

type Comparison = {readonly distance: number; readonly zero: boolean; readonly broken: boolean};

const processors = process.arch === 'x64' ? ['-march=native', '-march=haswell', '-march=x86-64'] : ['-mcpu=native'];

for (const processor of processors) {
  test(`Exponentials are as exact as float32 is, compiled by ${processor}`, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'palimpsest-exponentials-'));
    t.teardown(() => rm(folder, {recursive: true}));
    const program = join(folder, 'compare-exponentials');
    await runCommand([
      ...(['g++', '-std=c++17', '-O2', '-fno-math-errno', processor, `-I${fusedFolder}`] as const),
      ...['test/model/engine/fused/compare-exponentials.cc', '-o', program],
    ]);
    const {distance, zero, broken} = JSON.parse(await runCommand([program])) as Comparison;
    t.true(distance < 1.6, `${distance} units in the last place`);
    t.true(zero, 'nothing is left of what is out of range');
    t.true(broken, 'what is not a number stays so');
  });
}
