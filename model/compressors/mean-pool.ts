import {tf} from '../tf.ts';
import type {EvictedRows} from './evicted-rows.ts';

/** Mean over each window of c rows. [B, E·c, d] → [B, E, d] */
export function meanPool({rows, rate}: EvictedRows): tf.Tensor3D {
  const [batch, length, width] = rows.shape;
  return tf.mean(tf.reshape(rows, [batch, length / rate, rate, width]), 2);
}
