import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {EngineUnavailableError} from '../../../errors.ts';
import {installNative} from '../../../model/engine/install-native.ts';
import {type NativeBuild, nativeBuild} from '../../../model/engine/native-build.ts';
import {nativeStatus} from '../../../model/engine/native-status.ts';
import {removeNative} from '../../../model/engine/remove-native.ts';

const build = nativeBuild() as NativeBuild;

function setEnvironment(t: ExecutionContext, name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  t.teardown(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** Points the cache at an empty folder; returns it. */
function emptyCache(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-install-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  setEnvironment(t, 'PALIMPSEST_CACHE', folder);
  return folder;
}

function findProgram(name: string): string {
  const folder = (process.env.PATH ?? '').split(delimiter).find(path => existsSync(join(path, name)));
  if (folder === undefined) throw new Error(`These tests need ${name}`);
  return join(folder, name);
}

function installed(cache: string): string[] {
  return existsSync(join(cache, 'native')) ? readdirSync(join(cache, 'native')) : [];
}

test.serial('installNative finds the engine that is installed and works', async t => {
  const {alreadyInstalled, folder} = await installNative({onProgress: ({step}) => t.fail(step)});
  t.true(alreadyInstalled);
  t.is(nativeStatus().find(({engine}) => engine === 'native')?.folder, folder);
});

for (const [missing, kept, debian, fedora] of [
  ['python3, pip', ['g++', 'npm', 'node'], 'python3 python3-pip', 'python3 python3-pip'],
  ['g++', ['python3', 'npm', 'node'], 'g++', 'gcc-c++'],
  ['npm', ['python3', 'g++', 'node'], 'npm', 'nodejs-npm'],
] as const) {
  test.serial(`installNative names what is missing: ${missing}`, async t => {
    const cache = emptyCache(t);
    const programs = join(cache, 'programs');
    mkdirSync(programs);
    for (const name of kept) {
      // A version manager's shim looks for the real program in PATH; Python itself knows where it is.
      const path =
        name === 'python3' ? execFileSync('python3', ['-c', 'import sys; print(sys.executable)']) : findProgram(name);
      symlinkSync(String(path).trim(), join(programs, name));
    }
    setEnvironment(t, 'PATH', programs);
    const verb = missing.includes(',') ? 'are' : 'is';
    await t.throwsAsync(installNative(), {
      instanceOf: EngineUnavailableError,
      message: `Cannot install the native engine as ${missing} ${verb} missing: run "sudo apt-get install ${debian}" on Debian and Ubuntu, "sudo dnf install ${fedora}" on Fedora`,
    });
    t.deepEqual(installed(cache), []);
  });
}

test.serial('installNative names pip when python3 has none', async t => {
  const cache = emptyCache(t);
  execFileSync('python3', ['-m', 'venv', '--without-pip', join(cache, 'python')]);
  setEnvironment(t, 'PATH', `${join(cache, 'python/bin')}${delimiter}${process.env.PATH}`);
  await t.throwsAsync(installNative(), {
    instanceOf: EngineUnavailableError,
    message: /as pip is missing: .* python3-pip/,
  });
  t.deepEqual(installed(cache), []);
});

test.serial('installNative refuses an npm package of another digest and leaves nothing', async t => {
  const cache = emptyCache(t);
  const [, second] = build.tarballs;
  const tarballs = [{...second!, integrity: `sha512-${'A'.repeat(86)}==`}];
  await t.throwsAsync(installNative({build: {...build, tarballs}}), {
    instanceOf: EngineUnavailableError,
    message: /^Cannot install google-protobuf@3\.21\.4 as its digest must be sha512-A+==: current value is sha512-/,
  });
  t.deepEqual(installed(cache), []);
});

test.serial('installNative refuses a wheel of another digest and leaves nothing', async t => {
  const cache = emptyCache(t);
  const wheel = {requirement: 'six==1.17.0', sha256: '0'.repeat(64), bytes: 11_050};
  await t.throwsAsync(installNative({build: {...build, tarballs: [], wheels: [wheel]}}), {
    message: /DO NOT MATCH THE HASHES/,
  });
  t.deepEqual(installed(cache), []);
});

for (const step of ['Checking', 'Downloading @tensorflow/tfjs-node', 'Downloading tensorflow']) {
  test.serial(`installNative leaves nothing when it is interrupted at: ${step}`, async t => {
    const cache = emptyCache(t);
    const controller = new AbortController();
    const reason = new Error('Enough');
    // Soon after the step began: what it started is then running.
    const onProgress = ({step: current}: {step: string}) => {
      if (current.startsWith(step)) setTimeout(() => controller.abort(reason), 300);
    };
    const tarballs = step === 'Downloading tensorflow' ? [] : build.tarballs;
    t.is(
      await t.throwsAsync(installNative({build: {...build, tarballs}, signal: controller.signal, onProgress})),
      reason,
    );
    t.deepEqual(installed(cache), []);
  });
}

test.serial('installNative removes what a killed installation left a day ago, and not those under way', async t => {
  const cache = emptyCache(t);
  for (const name of ['.installing-old', '.installing-new']) mkdirSync(join(cache, 'native', name), {recursive: true});
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  utimesSync(join(cache, 'native/.installing-old'), twoDaysAgo, twoDaysAgo);
  const controller = new AbortController();
  const onProgress = ({step}: {step: string}) =>
    step.startsWith('Downloading') && controller.abort(new Error('Enough'));
  await t.throwsAsync(installNative({signal: controller.signal, onProgress}), {message: 'Enough'});
  t.deepEqual(installed(cache), ['.installing-new']);
});

test.serial('installNative says what to install where no build is pinned', async t => {
  const {platform} = process;
  t.teardown(() => Object.defineProperty(process, 'platform', {value: platform}));
  Object.defineProperty(process, 'platform', {value: 'win32'});
  await t.throwsAsync(installNative(), {
    instanceOf: EngineUnavailableError,
    message: /no build is pinned for win32 .*: run "npm install @tensorflow\/tfjs-node@4\.22\.0" in place of this$/,
  });
});

test.serial('removeNative removes engines and leaves installations under way alone', async t => {
  const cache = emptyCache(t);
  t.deepEqual(await removeNative(), []);
  for (const name of [build.name, 'tfjs-4.0.0', '.installing-a'])
    mkdirSync(join(cache, 'native', name), {recursive: true});
  t.is((await removeNative()).length, 2);
  t.deepEqual(installed(cache), ['.installing-a']);
});
