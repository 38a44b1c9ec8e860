import * as tf from '@tensorflow/tfjs';
import {sinusoidTable} from './sinusoid-table.ts';

/**
 * Projected position keys R W_r of one memory tier, in the order that {@link relativeShift} takes.
 *
 * @param projection W_r. [d, d]
 * @param slots Slots of the tier.
 * @returns [H, k, w + 1] with w = slots + n; column 0 is zero, column 1 + t belongs to distance w − 1 − t.
 */
export function positionKeys(
  projection: tf.Tensor2D,
  {slots, segmentLength, heads}: {slots: number; segmentLength: number; heads: number},
): tf.Tensor3D {
  const width = projection.shape[0]; // d
  const distances = Array.from({length: slots + segmentLength}, (_, t) => slots + segmentLength - 1 - t); // [w]
  return tf.tidy(() => {
    const table = tf.tensor2d(sinusoidTable(distances, width), [distances.length, width]); // [w, d]
    const keys = tf.reshape(tf.matMul(table, projection), [distances.length, heads, width / heads]); // [w, H, k]
    return tf.pad(tf.transpose(keys, [1, 2, 0]), [
      [0, 0],
      [0, 0],
      [1, 0],
    ]) as tf.Tensor3D; // [H, k, w + 1]
  });
}
