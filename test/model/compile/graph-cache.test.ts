import {execFile} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {promisify} from 'node:util';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {GraphCache} from '../../../model/compile/graph-cache.ts';
import {openEngine} from '../../../model/engine/engine.ts';

const folder = await mkdtemp(join(tmpdir(), 'palimpsest-test-'));
const before = process.env.PALIMPSEST_CACHE;

test.serial.before(async () => {
  await openEngine('native');
  process.env.PALIMPSEST_CACHE = folder;
});

test.serial.beforeEach(() => rm(join(folder, 'graphs'), {recursive: true, force: true}));

test.after.always(async () => {
  if (before === undefined) delete process.env.PALIMPSEST_CACHE;
  else process.env.PALIMPSEST_CACHE = before;
  await rm(folder, {recursive: true, force: true});
});

let recordings = 0;

/** Compiles under a name and gives a value that weights, a captured tensor and the size decide. */
function compute({cache = 'a', weight = 2, size = 1}: {cache?: string; weight?: number; size?: number} = {}): number {
  return tf.tidy(() => {
    const weights = tf.fill([size], weight);
    const fn = compile(
      ({x}: {x: tf.Tensor}) => {
        recordings++;
        return {deep: [tf.add(tf.sum(tf.mul(x, weights)), tf.sum(tf.ones([1000])))]};
      },
      {inputs: {x: {shape: [size]}}, constants: {weights}, cache},
    );
    const result = fn({x: tf.fill([size], 3)}).deep[0]!.dataSync()[0]!;
    fn[Symbol.dispose]();
    return result;
  });
}

const files = () => readdir(join(folder, 'graphs'));

test.serial('compile() with a cache calls the function once for all', async t => {
  recordings = 0;
  t.is(compute(), 1006);
  t.is(compute(), 1006);
  t.is(compute({weight: 5}), 1015, 'constants are those of the call');
  t.is(recordings, 1);
  t.is((await files()).length, 1);
});

test.serial('compile() with a cache tells names and shapes apart', async t => {
  recordings = 0;
  compute();
  compute({cache: 'b'});
  t.is(compute({size: 2}), 1012);
  t.is(recordings, 3);
  t.is((await files()).length, 3);
});

test.serial('compile() with a cache tells versions of tfjs apart, by the one that is loaded', t => {
  recordings = 0;
  compute();
  const {tfjs} = tf.version;
  t.teardown(() => Object.assign(tf.version, {tfjs}));
  Object.assign(tf.version, {tfjs: '4.22.1'});
  compute();
  t.is(recordings, 2);
});

test.serial('compile() with a cache records anew when the file is damaged', async t => {
  compute();
  const [file] = await files();
  const path = join(folder, 'graphs', file!);
  const good = await readFile(path);
  recordings = 0;
  const flipped = Buffer.from(good);
  flipped[good.length >> 1]! ^= 1;
  for (const bad of [
    Buffer.alloc(0),
    good.subarray(0, 20),
    good.subarray(0, -1),
    flipped,
    Buffer.concat([good, good]),
  ]) {
    await writeFile(path, bad);
    t.is(compute(), 1006);
    t.deepEqual(await readFile(path), good);
  }
  t.is(recordings, 5);
});

test.serial('compile() with a cache works where nothing can be written', async t => {
  await writeFile(join(folder, 'graphs'), 'a file where the folder would be');
  t.is(compute(), 1006);
});

test.serial('compile() with a cache refuses variables', t => {
  const variable = tf.variable(tf.scalar(1));
  const error = {message: 'Cannot compile with a cache as the function uses variables: leave out "cache"'};
  const options = {inputs: {shape: []}, cache: 'variables'};
  t.throws(() => compile((x: tf.Tensor) => tf.mul(x, variable), options), error);
  t.throws(
    () =>
      compile((x: tf.Scalar) => {
        variable.assign(x);
        return tf.neg(x);
      }, options),
    error,
  );
  variable.dispose();
});

test.serial('A compiled function keeps no bytes of its graph beside what TensorFlow does', async t => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const megabytes = () => {
    collect();
    return process.memoryUsage().arrayBuffers / 2 ** 20;
  };
  const captured = tf.ones([2 ** 22]); // 16 MiB
  const options = {inputs: {shape: []}, cache: 'large'};
  const make = () => compile((x: tf.Tensor) => tf.add(x, captured), options);
  const before = megabytes();
  // One is recorded, the others are read from the cache.
  const compiled = Array.from({length: 10}, make);
  // The buffers that graphs are packed in and unpacked from are kept and used again, whatever the number of functions; ten graphs are 160 MiB.
  const isFreed = () => megabytes() - before < 96;
  // What was collected is given back later.
  for (let tries = 0; tries < 50 && !isFreed(); tries++) await delay(20);
  t.true(isFreed(), `${megabytes() - before} MiB`);
  for (const fn of compiled) fn[Symbol.dispose]();
  captured.dispose();
});

test.serial('GraphCache lets the least recently used go, and what was left half-written', async t => {
  const cache = new GraphCache();
  const graph = {savedModel: new Uint8Array(60 * 2 ** 20), inputs: [], outputs: ['a'], template: 0};
  for (const [age, key] of ['one', 'two', 'three', 'four'].entries()) {
    cache.write(key, graph);
    const then = Date.now() / 1000 - 1000 + age;
    await utimes(join(folder, 'graphs', `${key}.graph`), then, then);
  }
  const partial = join(folder, 'graphs', 'x.partial');
  await writeFile(partial, 'half');
  await utimes(partial, 1000, 1000);
  t.deepEqual(cache.read('one')?.outputs, ['a']);
  cache.write('five', graph);
  t.deepEqual((await files()).sort(), ['five.graph', 'four.graph', 'one.graph', 'three.graph']);
});

test.serial('compile() with a cache loads in another process what this one recorded', async t => {
  const script = join(folder, 'other.mjs');
  const module = (path: string) => new URL(`../../../model/${path}`, import.meta.url).href;
  await writeFile(
    script,
    `import {openEngine} from '${module('engine/engine.js')}';
    import {compile} from '${module('compile/compile.js')}';
    const cache = process.env.PALIMPSEST_CACHE;
    delete process.env.PALIMPSEST_CACHE;
    const {tf} = await openEngine('native');
    process.env.PALIMPSEST_CACHE = cache;
    let recordings = 0;
    const fn = compile(x => { recordings++; return tf.neg(x); }, {inputs: {shape: []}, cache: 'shared'});
    console.log(recordings, fn(tf.scalar(7)).dataSync()[0]);`,
  );
  const run = () => promisify(execFile)(process.execPath, [script], {env: {...process.env, PALIMPSEST_CACHE: folder}});
  t.is((await run()).stdout, '1 -7\n');
  t.is((await run()).stdout, '0 -7\n');
});
