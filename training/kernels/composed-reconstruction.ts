import {stopGradient} from '../../model/stop-gradient.ts';
import {tf} from '../../model/tf.ts';
import {takenPlaces} from '../losses/taken-places.ts';
import type {ReconstructionInput} from './training-kernels.ts';

/** Finite, so that a masked score stays a number. */
const hidden = -1e9;

/** Differences between attention over evicted rows and over compressed ones, with all scores in memory at once. */
export function composedReconstruction({
  queries,
  old,
  compressed,
  evicted,
  documentWeights,
  compressionRate,
}: ReconstructionInput): tf.Scalar {
  const attend = ({keys, values}: ReconstructionInput['old'], taken: tf.Tensor1D) => {
    const [, batch, slots] = keys.shape;
    const absent = tf.sub(1, takenPlaces(taken, slots)); // [B, S]
    const mask = tf.reshape(tf.mul(absent, hidden), [1, batch, 1, slots]); // [1, B, 1, S]
    const scores = tf.add(tf.matMul(queries, keys, false, true), mask); // [H, B, n, S]
    return tf.matMul(tf.softmax(scores), values); // [H, B, n, k]
  };
  const expected = stopGradient(attend(old, evicted));
  const given = attend(compressed, tf.div(evicted, compressionRate));
  const perDocument = tf.mean(tf.squaredDifference(expected, given), [0, 2, 3]); // [B]
  return tf.sum(tf.mul(perDocument, documentWeights));
}
