import {tf} from '../tf.ts';
import type {EvictedRows} from './evicted-rows.ts';

/**
 * Keeps, of each document's evicted rows, the c-th part that received the most attention, in temporal order.
 *
 * Ranks by comparing all pairs and picks by a one-hot product, since there is no gradient for top-k.
 *
 * @returns [B, E, d]; rows beyond a document's windows are zero.
 */
export function mostUsed({rows, rate, attention, windows}: Required<EvictedRows>): tf.Tensor3D {
  const [batch, length] = rows.shape; // B, e = E·c
  const slots = length / rate; // E
  const older = strictlyLower(length); // [e, e]; 1 where column < row
  const mine = tf.expandDims(attention, 2); // [B, e, 1]
  const others = tf.expandDims(attention, 1); // [B, 1, e]
  const ahead = tf.logicalOr(tf.greater(others, mine), tf.logicalAnd(tf.equal(others, mine), tf.cast(older, 'bool')));
  const rank = tf.sum(tf.cast(ahead, 'float32'), 2); // [B, e]
  const chosen = tf.cast(tf.less(rank, windows), 'float32') as tf.Tensor2D; // [B, e]
  // Chosen rows after each one: a chosen row's distance from the right end of the slots.
  const after = tf.matMul(chosen, older); // [B, e]
  const fromRight = tf.range(slots - 1, -1, -1); // [E]
  const slot = tf.equal(tf.expandDims(after, 1), tf.reshape(fromRight, [1, slots, 1])); // [B, E, e]
  const pick = tf.mul(tf.cast(slot, 'float32'), tf.expandDims(chosen, 1)) as tf.Tensor3D; // [B, E, e]
  return tf.reshape(tf.matMul(pick, rows), [batch, slots, rows.shape[2]]);
}

function strictlyLower(size: number): tf.Tensor2D {
  const index = tf.range(0, size); // [e]
  return tf.cast(tf.greater(tf.expandDims(index, 1), tf.expandDims(index, 0)), 'float32');
}
