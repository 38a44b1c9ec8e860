import type {NormalisationWeights} from '../layer-weights.ts';
import {tf} from '../tf.ts';

const epsilon = 1e-5;

/** Layer normalisation over the last axis (Ba et al. 2016). x [S, d] → [S, d] */
export function layerNormalisation(x: tf.Tensor2D, {gain, bias}: NormalisationWeights): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, -1, true)); // [S, d]
  const variance = tf.mean(tf.square(centred), -1, true); // [S, 1]
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gain), bias); // [S, d]
}
