import {tf} from '../../model/tf.ts';

/** What a group of gradients is multiplied by so that its global norm is at most `limit` (Pascanu et al. 2013). [] */
export function clipFactor(norm: tf.Scalar, limit: number): tf.Scalar {
  return tf.div(limit, tf.maximum(norm, limit));
}
