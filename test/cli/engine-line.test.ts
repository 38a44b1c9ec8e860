import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {nativeBuild} from '../../model/engine/native-build.ts';
import {runCommand} from './run-command.ts';

test('embed says in its line on the engine why auto reads without the native one that was installed', async t => {
  const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-engine-line-'));
  t.teardown(() => rmSync(cwd, {recursive: true}));
  const env = {PALIMPSEST_CACHE: join(cwd, 'cache')};
  await runCommand(['init', 'model', '--preset', 'tiny'], {cwd});
  const read = async (...args: string[]) => {
    const {code, stderr} = await runCommand(['embed', '-m', 'model', '-s', 'memory', ...args, '-'], {
      cwd,
      env,
      input: 'a',
    });
    t.is(code, 0, stderr);
    return stderr.match(/^Reading with .*$/m)?.[0];
  };
  const portable = 'Reading with WebAssembly on 1 thread';
  t.is(await read(), portable);
  mkdirSync(join(cwd, 'cache/native', `${nativeBuild()!.name}-01234567`), {recursive: true});
  t.is(
    await read(),
    `${portable}: the native engine was built for another processor or version; run "npx palimpsest native install"`,
  );
  t.is(await read('--engine', 'wasm'), portable);
});
