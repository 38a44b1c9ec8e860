import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {fusedFolder} from '../../../../model/engine/fused-sources.ts';
import {runCommand} from '../../../../model/engine/run-command.ts';

test('NextTensorId goes on at 0 after 2^31 - 1 and skips ids in use', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-ids-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const program = join(folder, 'count-ids');
  await runCommand([
    ...(['g++', '-std=c++17', '-O1', `-I${fusedFolder}`] as const),
    ...['test/model/engine/fused/count-ids.cc', '-fsanitize=undefined', '-fno-sanitize-recover', '-o', program],
  ]);
  t.deepEqual(JSON.parse(await runCommand([program])), [2_147_483_645, 2_147_483_647, 1, 4, 0]);
});
