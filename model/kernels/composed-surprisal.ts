import {tf} from '../tf.ts';
import {composedDense} from './composed-dense.ts';
import type {PackedMatrix} from './packed-matrix.ts';

/** Rows whose logits are held at once: bounds memory, and keeps them in the processor's cache. */
const rowsAtOnce = 1024;

/**
 * Surprisal −log2 softmax(hidden Eᵀ)[token] of each row's token, in bits.
 *
 * @param hidden The hidden vector before each token. [S, d]
 * @param tokens int32 [S]
 * @param embedding Eᵀ. [d, V]
 * @returns [S]
 */
export function composedSurprisal(hidden: tf.Tensor2D, tokens: tf.Tensor1D, embedding: PackedMatrix): tf.Tensor1D {
  const total = hidden.shape[0];
  const pieces: tf.Tensor1D[] = [];
  for (let start = 0; start < total; start += rowsAtOnce) {
    const size = Math.min(rowsAtOnce, total - start);
    pieces.push(
      tf.tidy(() => {
        const rows = size === total ? hidden : tf.slice2d(hidden, [start, 0], [size, -1]);
        // Packed from its transpose, it has the tokens' vectors as its rows.
        const chosen = tf.gather(embedding.packed, tf.slice1d(tokens, start, size)); // [S', d]
        const chosenLogit = tf.sum(tf.mul(rows, chosen), -1); // [S']
        const logits = composedDense(rows as tf.Tensor2D, embedding); // [S', V]
        return tf.div(tf.sub(tf.logSumExp(logits, -1), chosenLogit), Math.LN2);
      }),
    );
  }
  return pieces.length === 1 ? pieces[0]! : tf.concat1d(pieces);
}
