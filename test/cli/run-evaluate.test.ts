import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {runEvaluate} from '../../cli/run-evaluate.ts';
import {SinkError} from '../../errors.ts';

test('runEvaluate refuses an output that cannot be written before it reads anything', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const options = {
    model: join(folder, 'no-model'),
    data: [join(folder, 'no.txt')],
    batch: 1,
    attentionTokens: 1,
    engine: 'native',
    precision: 'float32',
    quiet: true,
  } as const;
  await t.throwsAsync(runEvaluate({...options, out: join(folder, 'no', 'figures.json')}), {
    instanceOf: SinkError,
    message: /^Cannot write ".*figures.json" as its folder does not exist$/,
  });
});
