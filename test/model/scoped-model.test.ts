import test from 'ava';
import {ScopedModel} from '../../model/scoped-model.ts';
import {ToyModel} from '../integration/toy-model.ts';

const tokens = Int32Array.of(1, 2);
const step = async (model: ScopedModel) => [...(await model.step([{memory: 'a', tokens}]))[0]!.hiddenSum];

test('ScopedModel keeps the memories of its scope apart from those of others', async t => {
  const model = new ToyModel({segmentLength: 2});
  await using one = new ScopedModel(model);
  await using other = new ScopedModel(model);
  const first = await step(one);
  t.notDeepEqual(await step(one), first);
  t.deepEqual(await step(other), first);
});

test('ScopedModel forks, snapshots, restores and releases within its scope', async t => {
  await using scoped = new ScopedModel(new ToyModel({segmentLength: 2}));
  const first = await step(scoped);
  await scoped.fork('a', 'b');
  const second = await step(scoped);
  const [snapshot] = await scoped.snapshot(['b']);
  await scoped.restore('a', snapshot!);
  t.deepEqual(await step(scoped), second);
  await scoped.release(['a']);
  t.deepEqual(await step(scoped), first);
  t.deepEqual(await scoped.meanCompressed(['a']), [new Float32Array()]);
  t.is(scoped.summary, undefined);
});

test('ScopedModel closes what it has opened when it is disposed of, so that nothing of it is found later', async t => {
  const released: string[] = [];
  const model = new ToyModel({segmentLength: 2});
  const release = model.release.bind(model);
  model.release = async memories => {
    released.push(...memories);
    await release(memories);
  };
  const scoped = new ScopedModel(model);
  await step(scoped);
  await scoped.fork('a', 'b');
  await scoped.release(['b']);
  await scoped[Symbol.asyncDispose]();
  t.deepEqual(
    released.map(name => name.split('\0')[1]),
    ['b', 'a'],
  );
});
