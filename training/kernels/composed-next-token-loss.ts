import {composedDense} from '../../model/kernels/composed-dense.ts';
import {tf} from '../../model/tf.ts';
import type {NextTokenInput, NextTokenLoss} from './training-kernels.ts';

/** Cross-entropy of the token after each, through logits that are all in memory at once. */
export function composedNextTokenLoss({hidden, targets, weights, vocabulary}: NextTokenInput): NextTokenLoss {
  const logits = composedDense(hidden, vocabulary); // [S, V]
  const chosen = tf.oneHot(targets, logits.shape[1]); // [S, V]
  const nats = tf.sub(tf.logSumExp(logits, 1), tf.sum(tf.mul(logits, chosen), 1)) as tf.Tensor1D; // [S]
  return {loss: tf.sum(tf.mul(nats, weights)), nats};
}
