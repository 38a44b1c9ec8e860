import {Worker} from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {disposeTensors} from '../../../model/dispose-tensors.ts';
import {openEngine} from '../../../model/engine/engine.ts';

const MiB = 2 ** 20;

test.serial.before(async () => {
  await openEngine('native');
});

/** Growth of the process while something is repeated, after it has run warm. */
function growth(times: number, run: () => void): number {
  for (let index = 0; index < times / 4; index++) run();
  const before = process.memoryUsage.rss();
  for (let index = 0; index < times; index++) run();
  return process.memoryUsage.rss() - before;
}

test.serial('A compiled function keeps nothing of 4,000 calls', t => {
  const weights = tf.ones<tf.Rank.R2>([128, 128]);
  const fn = compile(({x}: {x: tf.Tensor2D}) => [tf.matMul(x, weights), x], {inputs: {x: {shape: [128, 128]}}});
  const x = tf.ones<tf.Rank.R2>([128, 128]);
  const {numTensors} = tf.memory();
  // Were results kept, they would be 512 MiB.
  const grown = growth(4000, () => disposeTensors(fn({x})));
  t.true(grown < 64 * MiB, `${grown}`);
  t.is(tf.memory().numTensors, numTensors);
  fn[Symbol.dispose]();
  disposeTensors([x, weights]);
});

test.serial('A compiled function leaves no session behind when it is disposed of, 300 times over', t => {
  const binding = (tf.backend() as unknown as {binding: {getNumOfSavedModels(): number}}).binding;
  const sessions = binding.getNumOfSavedModels();
  const {numTensors} = tf.memory();
  const x = tf.ones<tf.Rank.R2>([64, 64]);
  const grown = growth(300, () => {
    const captured = tf.ones<tf.Rank.R2>([64, 4096]); // 1 MiB
    const fn = compile(({x}: {x: tf.Tensor2D}) => [tf.softmax(tf.matMul(x, captured))], {
      inputs: {x: {shape: [64, 64]}},
    });
    disposeTensors([captured, fn({x})]);
    fn[Symbol.dispose]();
  });
  // Were what is captured kept, it would be 300 MiB.
  t.true(grown < 64 * MiB, `${grown}`);
  x.dispose();
  t.is(tf.memory().numTensors, numTensors);
  t.is(binding.getNumOfSavedModels(), sessions);
});

test.serial('compile() holds one session for each of 100 shapes, and none when they are disposed of', t => {
  const binding = (tf.backend() as unknown as {binding: {getNumOfSavedModels(): number}}).binding;
  const sessions = binding.getNumOfSavedModels();
  const {numTensors} = tf.memory();
  const weights = tf.ones<tf.Rank.R2>([512, 512]);
  const before = process.memoryUsage.rss();
  const compiled = Array.from({length: 100}, (_, index) =>
    compile((x: tf.Tensor2D) => tf.matMul(x, weights), {inputs: {shape: [index + 1, 512]}, constants: {weights}}),
  );
  t.is(binding.getNumOfSavedModels(), sessions + 100);
  // The constant is there once; 100 of them would be 100 MiB.
  const grown = process.memoryUsage.rss() - before;
  t.true(grown < 64 * MiB, `${grown}`);
  for (const [index, fn] of compiled.entries()) {
    t.deepEqual(
      tf.tidy(() => fn(tf.ones([index + 1, 512])).shape),
      [index + 1, 512],
    );
  }
  for (const fn of compiled) fn[Symbol.dispose]();
  t.is(binding.getNumOfSavedModels(), sessions);
  weights.dispose();
  t.is(tf.memory().numTensors, numTensors);
});

test.serial('compile() works in two threads at once', async t => {
  const module = (path: string) => new URL(`../../../model/${path}`, import.meta.url).href;
  const code = `
    import {parentPort, workerData} from 'node:worker_threads';
    const {openEngine} = await import('${module('engine/engine.js')}');
    const {compile} = await import('${module('compile/compile.js')}');
    const {tf} = await openEngine('native');
    const factor = tf.scalar(workerData);
    const fn = compile(x => tf.mul(x, factor), {inputs: {shape: [1000]}});
    let wrong = 0;
    for (let index = 0; index < 300; index++) {
      const values = tf.tidy(() => fn(tf.fill([1000], index)).dataSync());
      if (!values.every(value => value === index * workerData)) wrong++;
    }
    fn[Symbol.dispose]();
    parentPort.postMessage(wrong);`;
  const wrong = await Promise.all(
    [2, 3].map(
      factor =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {workerData: factor});
          worker.once('message', resolve).once('error', reject);
        }),
    ),
  );
  t.deepEqual(wrong, [0, 0]);
});
