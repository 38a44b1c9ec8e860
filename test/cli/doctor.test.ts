import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {runModule} from '../model/engine/run-module.ts';

const module = (name: string) => new URL(`../../cli/${name}.js`, import.meta.url).href;

function text(args: readonly string[]): string {
  return `import {doctorCommand} from '${module('doctor')}';
    await doctorCommand().parseAsync(${JSON.stringify(args)}, {from: 'user'});`;
}

test('doctor shows the engine, TensorFlow, threads, speed, memory store and Node', async t => {
  const {stdout, code} = await runModule(text(['--engine', 'native']));
  t.is(code, 0);
  t.true(stdout.startsWith(`Node              ${process.version} on `), stdout);
  t.regex(stdout, /\nEngine {12}native: TensorFlow 2\.21\.0 on \d+ threads?\n/);
  t.regex(stdout, /\nTensorFlow {8}2\.21\.0\n/);
  t.regex(stdout, /\nThreads {11}\d+\n/);
  t.regex(stdout, /\nPrecisions {8}float32(, bfloat16)?\n/);
  t.regex(stdout, /\nMatrix product {4}[0-9.]+ GFLOP\/s \(float32\)\n/);
  t.regex(stdout, /\nMemory store {6}LMDB reads and writes\n/);
});

test('doctor gives the command for each engine that is missing', async t => {
  const cache = mkdtempSync(join(tmpdir(), 'palimpsest-doctor-'));
  t.teardown(() => rmSync(cache, {recursive: true}));
  const {stdout, code} = await runModule(text(['--json']), {env: {PALIMPSEST_CACHE: cache}});
  t.is(code, 0);
  const {engine, missing} = JSON.parse(stdout);
  t.is(engine.name, 'wasm');
  t.is(engine.tensorflowVersion, null);
  t.true(engine.gigaflops > 0);
  t.deepEqual(
    missing.map(({name, command}: {name: string; command: string}) => [name, command]),
    [
      ['gpu', 'npx palimpsest native install --gpu'],
      ['native', 'npx palimpsest native install'],
    ],
  );
});

test('doctor says what the native engine cannot be built without', async t => {
  const cache = mkdtempSync(join(tmpdir(), 'palimpsest-doctor-'));
  t.teardown(() => rmSync(cache, {recursive: true}));
  const {stdout, code} = await runModule(text([]), {env: {PALIMPSEST_CACHE: cache, PATH: cache}});
  t.is(code, 0);
  t.regex(
    stdout,
    /\nFirst of all {6}Cannot install the native engine as python3, pip, g\+\+, npm are missing: run "sudo apt-get install python3 python3-pip g\+\+ npm"/,
  );
});

test('doctor fails and says why when the memory store does not work', async t => {
  const {stdout, code} = await runModule(
    `import {runDoctor} from '${module('run-doctor')}';
    await runDoctor({engine: 'cpu', checkMemoryStore: async () => { throw new Error('No lmdb here') }});`,
  );
  t.is(code, 1);
  t.regex(stdout, /Memory store {6}No lmdb here/);
});
