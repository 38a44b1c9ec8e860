import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {EngineUnavailableError} from '../../../errors.ts';
import {compile} from '../../../model/compile/compile.ts';
import {openEngine} from '../../../model/engine/engine.ts';

test.serial.before(async () => {
  await openEngine('native');
});

test.serial('GraphSession says what to set when there is no folder for temporary files', t => {
  const before = process.env.TMPDIR;
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  process.env.TMPDIR = '/nonexistent';
  const {numTensors} = tf.memory();
  t.throws(() => compile((x: tf.Tensor) => tf.neg(x), {inputs: {shape: [2]}}), {
    instanceOf: EngineUnavailableError,
    message:
      /^Cannot compile as the folder for temporary files must have room for a graph: ENOENT: .*; set TMPDIR to a folder that can be written$/,
  });
  t.is(tf.memory().numTensors, numTensors);
});
