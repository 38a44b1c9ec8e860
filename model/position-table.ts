import {sinusoidTable} from './sinusoid-table.ts';
import {tf} from './tf.ts';

/**
 * Sinusoids of the distances of one memory tier, the greatest first.
 *
 * @param width d
 * @param options.slots Slots of the tier.
 * @returns [w, d] with w = slots + n; row t belongs to distance w − 1 − t.
 */
export function positionTable(
  width: number,
  {slots, segmentLength}: {slots: number; segmentLength: number},
): tf.Tensor2D {
  const distances = Array.from({length: slots + segmentLength}, (_, t) => slots + segmentLength - 1 - t);
  return tf.tensor2d(sinusoidTable(distances, width), [distances.length, width]);
}
