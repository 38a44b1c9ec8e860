import test from 'ava';
import {fusedFolder} from '../../model/engine/fused-sources.ts';
import {runCommand} from '../../model/engine/run-command.ts';

const compile = ['g++', '-std=c++17', '-fsyntax-only', `-I${fusedFolder}`, 'bench/kernels/time-kernels.cc'] as const;

test('The program that times kernels compiles for this processor, and with an idle matrix unit', async t => {
  await t.notThrowsAsync(runCommand([...compile, process.arch === 'x64' ? '-march=native' : '-mcpu=native']));
  const idle = ['-march=sapphirerapids', '-include', 'bench/kernels/idle-matrix-unit.h'];
  if (process.arch === 'x64') await t.notThrowsAsync(runCommand([...compile, ...idle]));
});
