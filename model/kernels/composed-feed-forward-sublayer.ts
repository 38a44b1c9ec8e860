import type {FeedForwardWeights} from '../layer-weights.ts';
import {tf} from '../tf.ts';
import {composedDense} from './composed-dense.ts';
import {layerNormalisation} from './layer-normalisation.ts';

/** What the feed-forward sublayer adds to x: relu(LN(x) W_inner + b_inner) W_outer + b_outer. x [S, d] → [S, d] */
export function composedFeedForwardSublayer(x: tf.Tensor2D, weights: FeedForwardWeights): tf.Tensor2D {
  const normalised = layerNormalisation(x, weights.normalisation); // [S, d]
  const hidden = tf.relu(tf.add(composedDense(normalised, weights.inner), weights.innerBias)) as tf.Tensor2D; // [S, f]
  return tf.add(composedDense(hidden, weights.outer), weights.outerBias); // [S, d]
}
