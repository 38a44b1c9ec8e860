import {tf} from '../../model/tf.ts';

/**
 * Which of right-aligned places are taken.
 *
 * @param filled How many of each document. [B]
 * @param places How many there are.
 * @returns 1 where taken, else 0. [B, places]
 */
export function takenPlaces(filled: tf.Tensor1D, places: number): tf.Tensor2D {
  const fromRight = tf.range(places, 0, -1); // [places]
  return tf.cast(tf.lessEqual(fromRight, tf.expandDims(filled, 1)), 'float32') as tf.Tensor2D;
}
