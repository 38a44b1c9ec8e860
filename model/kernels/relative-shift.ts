import {tf} from '../tf.ts';

/**
 * Aligns position scores with keys: from "by distance" to "by slot" (Dai et al. 2019, appendix B).
 *
 * Column 0 of the input is padding; column 1 + t holds distance w − 1 − t, the greatest first. Output column j of query i then holds
 * distance w − n + i − j. Columns j > w − n + i hold values of other rows: a causal mask has to cover them.
 *
 * @param scores [H, B·n, w + 1]
 * @returns [H, B, n, w]
 */
export function relativeShift(scores: tf.Tensor3D, batch: number): tf.Tensor4D {
  const [heads, rows, padded] = scores.shape;
  const n = rows / batch;
  const flat = tf.reshape(scores, [heads, batch, n * padded]); // [H, B, n·(w+1)]
  return tf.reshape(tf.slice(flat, [0, 0, n], [-1, -1, n * (padded - 1)]), [heads, batch, n, padded - 1]);
}
