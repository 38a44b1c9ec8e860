import {tf} from '../tf.ts';
import type {EvictedRows} from './evicted-rows.ts';

/** Maximum over each window of c rows, width by width. [B, E·c, d] → [B, E, d] */
export function maxPool({rows, rate}: EvictedRows): tf.Tensor3D {
  const [batch, length, width] = rows.shape;
  return tf.max(tf.reshape(rows, [batch, length / rate, rate, width]), 2);
}
