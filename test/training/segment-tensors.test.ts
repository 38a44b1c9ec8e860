import test from 'ava';
import {openEngine} from '../../model/engine/engine.ts';
import {segmentTensors} from '../../training/segment-tensors.ts';
import {smallConfig} from '../model/small-model.ts';

test.serial('segmentTensors weighs targets that are there, and documents that evict whole segments', async t => {
  await openEngine('native');
  const {segmentLength: n} = smallConfig;
  const counts = [0, 32, 32].map(memory => ({memory, compressed: 0}));
  const present = new Float32Array(3 * n).fill(1, 0, 2 * n + 5);
  const rows = {
    tokens: new Int32Array(3 * n),
    targets: new Int32Array(3 * n),
    present,
    full: [true, true, false],
    counts,
  };
  const segment = segmentTensors(rows, {config: smallConfig, targetWeight: 0.5, documentWeight: 0.25});
  t.deepEqual(
    [...segment.targetWeights.dataSync()],
    [...present].map(value => value / 2),
  );
  t.deepEqual([...segment.evicted.dataSync()], [0, 16, 16]);
  t.deepEqual([...segment.documentWeights.dataSync()], [0, 0.25, 0]);
  t.deepEqual([...segment.counts.dataSync()], [0, 0, 32, 0, 32, 0]);
});
