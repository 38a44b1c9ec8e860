import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {stat} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {markBuildUsed} from '../../../model/engine/mark-build-used.ts';
import {nativeBuild} from '../../../model/engine/native-build.ts';
import {nativeBuildFolder} from '../../../model/engine/native-build-folder.ts';
import {otherBuilds} from '../../../model/engine/other-builds.ts';
import {removeUnusedBuilds} from '../../../model/engine/remove-unused-builds.ts';

const own = basename(nativeBuildFolder(nativeBuild()!)!);

/** Points the cache at a folder with builds that were used so many days ago; each holds one file of 1,000 bytes. */
function cacheWith(t: ExecutionContext, builds: Readonly<Record<string, number>>): string {
  const cache = mkdtempSync(join(tmpdir(), 'palimpsest-builds-'));
  const before = process.env.PALIMPSEST_CACHE;
  process.env.PALIMPSEST_CACHE = cache;
  t.teardown(() => {
    if (before === undefined) delete process.env.PALIMPSEST_CACHE;
    else process.env.PALIMPSEST_CACHE = before;
    rmSync(cache, {recursive: true});
  });
  for (const [name, days] of Object.entries(builds)) {
    const folder = join(cache, 'native', name);
    mkdirSync(join(folder, 'deep'), {recursive: true});
    writeFileSync(join(folder, 'deep', 'file'), Buffer.alloc(1000));
    setAge(folder, days);
  }
  return join(cache, 'native');
}

function setAge(folder: string, days: number): void {
  const time = Date.now() / 1000 - days * 86_400;
  utimesSync(folder, time, time);
}

test.serial('otherBuilds() lists builds of other versions with their sizes, the latest used first', async t => {
  const native = cacheWith(t, {[own]: 0, old: 9, newer: 1, '.installing-a': 0});
  const builds = await otherBuilds();
  t.deepEqual(
    builds.map(({folder, bytes}) => [folder, bytes]),
    [
      [join(native, 'newer'), 1000],
      [join(native, 'old'), 1000],
    ],
  );
  t.is(Math.round((Date.now() - builds[1]!.usedAt.getTime()) / 86_400_000), 9);
});

test.serial('otherBuilds() finds none where nothing was installed', async t => {
  cacheWith(t, {});
  t.deepEqual(await otherBuilds(), []);
});

test.serial('removeUnusedBuilds() leaves alone what is of this version, used within a week, or under way', async t => {
  const native = cacheWith(t, {[own]: 30, old: 8, older: 90, recent: 6, '.installing-a': 30});
  const removed = await removeUnusedBuilds();
  t.deepEqual(removed.map(({folder}) => basename(folder)).sort(), ['old', 'older']);
  t.deepEqual(readdirSync(native).sort(), ['.installing-a', own, 'recent'].sort());
});

test.serial('removeUnusedBuilds() leaves alone what a process has open', async t => {
  if (!existsSync('/proc/self/maps')) {
    t.pass('This system does not tell');
    return;
  }
  const native = cacheWith(t, {open: 30});
  const require = createRequire(import.meta.url);
  require('@node-rs/crc32');
  const addon = Object.keys(require.cache).find(path => path.endsWith('.node'));
  const copy = join(native, 'open', 'addon.node');
  cpSync(addon!, copy);
  setAge(join(native, 'open'), 30);
  const script = `require(${JSON.stringify(copy)}); console.log('open'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['--eval', script], {stdio: ['ignore', 'pipe', 'inherit']});
  t.teardown(() => child.kill());
  await once(child.stdout, 'data');
  t.deepEqual(await removeUnusedBuilds(), []);
  child.kill();
  await once(child, 'exit');
  t.is((await removeUnusedBuilds()).length, 1);
  t.deepEqual(readdirSync(native), []);
});

test.serial('markBuildUsed() makes a build one that is used now, and touches nothing elsewhere', async t => {
  const native = cacheWith(t, {old: 30});
  const elsewhere = dirname(dirname(native));
  const before = (await stat(elsewhere)).mtimeMs;
  markBuildUsed(join(elsewhere, 'node_modules', 'tfjs-node'));
  markBuildUsed(native);
  t.is((await stat(elsewhere)).mtimeMs, before);
  markBuildUsed(join(native, 'old', 'node_modules', '@tensorflow', 'tfjs-node'));
  t.true(Date.now() - (await stat(join(native, 'old'))).mtimeMs < 60_000);
  t.deepEqual(await removeUnusedBuilds(), []);
});
