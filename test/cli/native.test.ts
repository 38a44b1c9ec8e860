import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {nativeStatus} from '../../model/engine/native-status.ts';
import {runModule} from '../model/engine/run-module.ts';

const module = new URL('../../cli/native.js', import.meta.url).href;
const text = (...args: string[]) =>
  `import {nativeCommand} from '${module}'; await nativeCommand().parseAsync(${JSON.stringify(args)}, {from: 'user'});`;

function emptyCache(t: {teardown: (remove: () => void) => void}): string {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-native-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  return folder;
}

test('native status shows where the engine is, or how to get it', async t => {
  const folder = nativeStatus().find(({engine}) => engine === 'native')?.folder;
  t.truthy(folder, 'These tests need the native engine: run "npx palimpsest native install"');
  t.true((await runModule(text('status'))).stdout.startsWith(`native  ${folder}\n`));
  const env = {PALIMPSEST_CACHE: emptyCache(t)};
  t.regex(
    (await runModule(text('status'), {env})).stdout,
    /^native {2}not installed: run "npx palimpsest native install"\n/,
  );
  const [native] = JSON.parse((await runModule(text('status', '--json'), {env})).stdout);
  t.deepEqual(native, {engine: 'native', available: true, folder: null});
});

test('native status lists engines of other versions with their sizes', async t => {
  const cache = emptyCache(t);
  const folder = join(cache, 'native', 'tfjs-4.0.0');
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'library.so'), Buffer.alloc(3e6));
  const env = {PALIMPSEST_CACHE: cache};
  t.regex(
    (await runModule(text('status'), {env})).stdout,
    /\nother {3}\S+tfjs-4\.0\.0, of another version: 3 MB, last used \d{4}-\d\d-\d\d\n$/,
  );
  const engines = JSON.parse((await runModule(text('status', '--json'), {env})).stdout);
  t.like(engines.at(-1), {engine: 'other', folder, bytes: 3e6});
});

test('native install says that the engine is there', async t => {
  const {stdout, code} = await runModule(text('install'));
  t.is(code, 0);
  t.is(stdout, `Already installed in ${nativeStatus()[0]?.folder}\n`);
});

test('native install leaves nothing when the user interrupts it', async t => {
  const cache = emptyCache(t);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text('install')], {
    env: {...process.env, PALIMPSEST_CACHE: cache},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  let underWay: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    errors += piece;
    if (underWay.length > 0 || !errors.includes('Downloading')) return;
    underWay = readdirSync(join(cache, 'native'));
    child.kill('SIGINT');
  });
  const code = await new Promise(resolve => child.on('close', resolve));
  t.is(code, 130);
  t.regex(errors, /\nStopped by SIGINT: nothing was installed\n$/);
  t.is(underWay.length, 1);
  t.deepEqual(readdirSync(join(cache, 'native')), []);
});

test('native remove says when there is nothing to remove', async t => {
  const cache = emptyCache(t);
  t.is((await runModule(text('remove'), {env: {PALIMPSEST_CACHE: cache}})).stdout, 'Nothing to remove\n');
  t.false(existsSync(join(cache, 'native')));
});

test('native help shows examples', async t => {
  t.regex((await runModule(text('install', '--help'))).stdout, /Examples:\n {2}\$ palimpsest native install\n/);
});
