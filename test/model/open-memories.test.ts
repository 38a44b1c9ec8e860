import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {gatherMemories} from '../../model/gather-memories.ts';
import {composedKernels} from '../../model/kernels/composed-kernels.ts';
import type {Memory} from '../../model/memory.ts';
import {OpenMemories} from '../../model/open-memories.ts';

test.before(async () => {
  await openEngine('cpu');
});

/** Memories of one layer with a slot each, which holds the row's number. */
function batch(...values: number[]): Memory {
  return {
    counts: values.map(() => ({memory: 1, compressed: 0})),
    lastHidden: tf.tensor2d(values, [values.length, 1]),
    layers: [{rows: tf.tensor3d(values, [values.length, 1, 1])}],
  };
}

function values(memory: Memory): number[] {
  return [...memory.layers[0]!.rows!.dataSync()];
}

test.serial(
  'OpenMemories lends a batch without a copy while its keys stay together, in whatever order they come',
  t => {
    using memories = new OpenMemories(rows => gatherMemories(rows, composedKernels));
    const empty = batch(0);
    memories.set(['a', 'b', 'c', undefined], batch(1, 2, 3, 9));
    const held = tf.memory().numTensors;
    const keys = memories.arrange(['c', 'a', 'b']);
    t.deepEqual(keys, ['a', 'b', 'c']);
    memories.borrow(memories.layOut(keys, 4), empty, memory => {
      t.is(tf.memory().numTensors, held);
      t.deepEqual(values(memory).slice(0, 3), [1, 2, 3]);
    });
    // One that does not come leaves a hole.
    const rest = memories.layOut(memories.arrange(['c', 'a']), 4);
    t.deepEqual(rest, ['a', undefined, 'c', undefined]);
    memories.borrow(rest, empty, () => t.is(tf.memory().numTensors, held));
    disposeTensors(empty);
  },
);

test.serial('OpenMemories gathers rows of several batches, and pads with empty ones', t => {
  using memories = new OpenMemories(rows => gatherMemories(rows, composedKernels));
  const empty = batch(0);
  memories.set(['a', 'b'], batch(1, 2));
  memories.set(['c'], batch(3));
  const keys = memories.arrange(['d', 'c', 'b']);
  t.deepEqual(keys, ['c', 'b', 'd']);
  const layout = memories.layOut(keys, 4);
  t.deepEqual(layout, ['c', 'b', 'd', undefined]);
  memories.borrow(layout, empty, memory => t.deepEqual(values(memory), [3, 2, 0, 0]));
  disposeTensors(empty);
});

test.serial('OpenMemories gives copies of one memory rows of their own', t => {
  using memories = new OpenMemories(rows => gatherMemories(rows, composedKernels));
  const empty = batch(0);
  memories.set(['a', 'b'], batch(1, 2));
  memories.fork('a', 'copy');
  const layout = memories.layOut(memories.arrange(['a', 'copy']), 2);
  t.deepEqual(layout, ['a', 'copy']);
  memories.borrow(layout, empty, memory => t.deepEqual(values(memory), [1, 1]));
  disposeTensors(empty);
});

test.serial("OpenMemories counts rows that are nobody's as empty, and frees all when disposed of", t => {
  const before = tf.memory().numTensors;
  {
    using memories = new OpenMemories(rows => gatherMemories(rows, composedKernels));
    memories.set(['a', undefined], batch(1, 2));
    const [[memory]] = [...memories.batches(['a'])] as [[Memory, unknown]];
    t.deepEqual(memory.counts, [
      {memory: 1, compressed: 0},
      {memory: 0, compressed: 0},
    ]);
  }
  t.is(tf.memory().numTensors, before);
});
