import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {openEngine} from '../../../model/engine/engine.ts';
import {equalsEager} from './equals-eager.ts';
import {reuseIds} from './reuse-ids.ts';

test.serial.before(async () => {
  await openEngine('native');
});

test.serial('GraphRecorder tells tensors apart that have the id of one before', t => {
  using _reused = reuseIds();
  const x = tf.tensor1d([1, 2, 3]);
  equalsEager(
    t,
    ({x}) => {
      tf.mul(x, 2).dispose();
      const made = tf.tensor1d([10, 20, 30]);
      const added = tf.add(made, 5);
      made.dispose();
      const first = tf.neg(tf.tidy(() => tf.square(x)));
      return [added, first, tf.add(x, tf.mul(added, 3))];
    },
    {x},
  );
  x.dispose();
});
