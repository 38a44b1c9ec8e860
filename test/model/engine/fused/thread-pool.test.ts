import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {fusedFolder} from '../../../../model/engine/fused-sources.ts';
import {runCommand} from '../../../../model/engine/run-command.ts';

test('ThreadPool does each task once, for callers side by side, and without a race', async t => {
  t.timeout(300_000);
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-threads-'));
  t.teardown(() => rm(folder, {recursive: true}));
  for (const [name, options] of Object.entries({raced: ['-O1', '-fsanitize=thread'], fast: ['-O2']})) {
    const program = join(folder, name);
    await runCommand([
      ...(['g++', '-std=c++17', ...options, `-I${fusedFolder}`] as const),
      ...['test/model/engine/fused/share-tasks.cc', '-o', program, '-lpthread'],
    ]);
    // The sanitizer's report would end the program with an error.
    t.deepEqual(JSON.parse(await runCommand([program])), {threads: 5, done: 439_999, wrong: 0}, name);
  }
});
