import {monitorEventLoopDelay} from 'node:perf_hooks';
import test from 'ava';
import {EngineUnavailableError, NumericalError} from '../../errors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {ModelWorker} from '../../model/worker/model-worker.ts';
import {smallConfig, smallModel, smallModelOptions} from './small-model.ts';

const tokens = (index: number) =>
  Int32Array.from({length: smallConfig.segmentLength}, (_, i) => (index * 37 + i * i) % 256);

test.serial('ModelWorker gives what the model gives in this thread', async t => {
  await openEngine('native');
  await using local = smallModel();
  await using worker = await ModelWorker.start(smallModelOptions(), {engine: 'native'});
  t.is(worker.engine.name, 'native');
  for (let index = 0; index < 6; index++) {
    const rows = [
      {memory: 'a', tokens: tokens(index)},
      {memory: 'b', tokens: tokens(index + 100).subarray(0, 1 + index)},
    ];
    t.deepEqual(await worker.step(rows), await local.step(rows));
  }
  await worker.fork('a', 'c');
  await local.fork('a', 'c');
  const snapshots = await worker.snapshot(['a', 'c']);
  t.deepEqual(snapshots, await local.snapshot(['a', 'c']));
  t.deepEqual(await worker.meanCompressed(['a', 'c', 'x']), await local.meanCompressed(['a', 'c', 'x']));
  await worker.release(['a']);
  await worker.restore('a', structuredClone(snapshots[0]!));
  t.deepEqual(await worker.snapshot(['a']), [snapshots[0]!]);
});

test.serial('ModelWorker moves the arrays of a memory that it restores, and copies those of a step', async t => {
  await using worker = await ModelWorker.start(smallModelOptions(), {engine: 'wasm'});
  const segment = tokens(0);
  await worker.step([{memory: 'a', tokens: segment}]);
  t.is(segment.length, smallConfig.segmentLength);
  const [snapshot] = await worker.snapshot(['a']);
  await worker.restore('b', snapshot!);
  for (const {data} of Object.values(snapshot!.tensors)) t.is(data.byteLength, 0);
});

test.serial('ModelWorker restores memories that were copied out together one by one', async t => {
  await using worker = await ModelWorker.start(smallModelOptions(), {engine: 'wasm'});
  const keys = ['a', 'b'];
  for (let index = 0; index < 4; index++) {
    await worker.step(keys.map((memory, i) => ({memory, tokens: tokens(10 * i + index)})));
  }
  const expected = await worker.snapshot(keys);
  const [a, b] = await worker.snapshot(keys);
  await worker.restore('b again', b!);
  await worker.restore('a again', a!);
  t.deepEqual(await worker.snapshot(['a again', 'b again']), expected);
});

test.serial('ModelWorker answers calls in the order in which they were made', async t => {
  await using worker = await ModelWorker.start(smallModelOptions(), {engine: 'wasm'});
  const steps = Array.from({length: 5}, (_, index) => worker.step([{memory: 'a', tokens: tokens(index)}]));
  const snapshot = worker.snapshot(['a']);
  const later = worker.step([{memory: 'a', tokens: tokens(5)}]);
  t.deepEqual((await snapshot)[0]!.compressedMemoryCount, 12);
  await Promise.all([...steps, later]);
});

test.serial('ModelWorker rejects with the class of error that the model threw, and goes on', async t => {
  const options = smallModelOptions();
  options.weights.get('final_normalisation.gain')!.data.fill(Number.NaN);
  await using worker = await ModelWorker.start(options, {engine: 'wasm'});
  await t.throwsAsync(worker.step([{memory: 'a', tokens: tokens(0)}]), {instanceOf: NumericalError});
  await t.throwsAsync(worker.step([{memory: 'a', tokens: new Int32Array(0)}]), {instanceOf: RangeError});
  t.is((await worker.snapshot(['a']))[0]!.memoryCount, 0);
});

test.serial('ModelWorker cannot start with an engine that is not there', async t => {
  await t.throwsAsync(ModelWorker.start(smallModelOptions(), {engine: 'gpu'}), {instanceOf: EngineUnavailableError});
});

test.serial('ModelWorker may be closed twice and rejects calls afterwards', async t => {
  const worker = await ModelWorker.start(smallModelOptions(), {engine: 'wasm'});
  await worker[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  await t.throwsAsync(worker.step([{memory: 'a', tokens: tokens(0)}]), {message: /closed/});
});

test.serial('ModelWorker leaves the event loop of its user free', async t => {
  const config = {modelWidth: 256, feedForwardWidth: 1024, layers: 4, segmentLength: 128, memoryLength: 256};
  await using worker = await ModelWorker.start(smallModelOptions(config), {engine: 'native'});
  const long = (index: number) => Int32Array.from({length: 128}, (_, i) => (index * 37 + i * i) % 256);
  await worker.step([{memory: 'a', tokens: long(0)}]);
  const delay = monitorEventLoopDelay({resolution: 5});
  delay.enable();
  for (let index = 0; index < 20; index++) {
    await worker.step(['a', 'b', 'c', 'd'].map(memory => ({memory, tokens: long(index)})));
  }
  delay.disable();
  t.true(delay.percentile(99) < 50e6, `99th percentile ${delay.percentile(99) / 1e6} ms`);
});
