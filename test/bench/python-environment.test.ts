import {execFileSync} from 'node:child_process';
import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {pythonEnvironment} from '../../bench/python-environment.ts';

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

async function temporaryFolder(t: ExecutionContext): Promise<{cache: string; requirements: string}> {
  const cache = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(cache, {recursive: true}));
  return {cache, requirements: join(cache, 'requirements.txt')};
}

// Needs Python with venv, as the benchmark does.
(hasPython() ? test : test.skip)('pythonEnvironment makes an environment once and keeps it', async t => {
  const {cache, requirements} = await temporaryFolder(t);
  await writeFile(requirements, '# nothing\n');
  const built: string[] = [];
  const onBuild = (folder: string) => built.push(folder);
  const python = await pythonEnvironment({requirements, cache, onBuild});
  t.is(await pythonEnvironment({requirements, cache, onBuild}), python);
  const folder = dirname(dirname(python));
  t.deepEqual(built, [folder]);
  t.deepEqual((await readdir(cache)).sort(), [basename(folder), 'requirements.txt']);
  const prefix = execFileSync(python, ['-c', 'import sys; print(sys.prefix != sys.base_prefix, sys.prefix)']);
  t.is(prefix.toString().trim(), `True ${folder}`);
});

(hasPython() ? test : test.skip)('pythonEnvironment leaves nothing behind when pip fails', async t => {
  const {cache, requirements} = await temporaryFolder(t);
  await writeFile(requirements, 'not a requirement\n');
  await t.throwsAsync(pythonEnvironment({requirements, cache}), {message: /not a requirement/i});
  t.deepEqual(await readdir(cache), ['requirements.txt']);
});
