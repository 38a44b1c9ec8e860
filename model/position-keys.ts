import {positionTable} from './position-table.ts';
import {tf} from './tf.ts';

export type PositionSizes = {
  /** Slots of the tier. */
  readonly slots: number;
  readonly segmentLength: number;
  readonly heads: number;
};

/**
 * Projected position keys R W_r of one memory tier, in the order that {@link relativeShift} takes.
 *
 * @param projection W_r. [d, d]
 * @returns [H, k, w + 1] with w = slots + n; column 0 is zero, column 1 + t belongs to distance w − 1 − t.
 */
export function positionKeys(projection: tf.Tensor2D, {slots, segmentLength, heads}: PositionSizes): tf.Tensor3D {
  const width = projection.shape[0]; // d
  return tf.tidy(() => {
    const table = positionTable(width, {slots, segmentLength}); // [w, d]
    const keys = tf.reshape(tf.matMul(table, projection), [slots + segmentLength, heads, width / heads]); // [w, H, k]
    return tf.pad(tf.transpose(keys, [1, 2, 0]), [
      [0, 0],
      [0, 0],
      [1, 0],
    ]) as tf.Tensor3D; // [H, k, w + 1]
  });
}
