import {joinSlices} from '../join-slices.ts';
import {tf} from '../tf.ts';
import type {AttentionInput, AttentionOutput} from './kernels.ts';
import {relativeShift} from './relative-shift.ts';

/** Attention put together from tfjs operations. */
export function composedAttention(input: AttentionInput): AttentionOutput {
  const {queries, keys, values, memory, weights, visible, needsReceived} = input;
  const [heads, batch, n, headWidth] = queries.shape;
  const compressed = memory.compressedKeys?.shape[2] ?? 0; // n_cm
  const slots = compressed + (memory.keys?.shape[2] ?? 0) + n; // K
  const whole = {axis: 2, start: 0, size: slots};
  const allKeys = joinSlices([memory.compressedKeys, memory.keys, keys], whole); // [H, B, K, k]
  const allValues = joinSlices([memory.compressedValues, memory.values, values], whole); // [H, B, K, k]

  const rows = tf.reshape(queries, [heads, batch * n, headWidth]) as tf.Tensor3D; // [H, B·n, k]
  const contentQueries = tf.reshape(tf.add(rows, weights.contentBias), queries.shape); // [H, B, n, k]
  const content = tf.matMul(contentQueries, allKeys, false, true); // [H, B, n, K]
  const recent = positionScores(rows, weights.positionBias, weights.positionKeys, batch); // [H, B, n, n_m + n]
  const position =
    weights.compressedPositionKeys === undefined
      ? recent
      : tf.concat(
          [
            tf.slice(
              positionScores(rows, weights.compressedPositionBias!, weights.compressedPositionKeys, batch),
              [0, 0, 0, 0],
              [-1, -1, -1, compressed],
            ),
            recent,
          ],
          3,
        ); // [H, B, n, K]
  const probabilities = tf.softmax(tf.add(tf.add(content, position), visible.mask!)) as tf.Tensor4D; // [H, B, n, K]
  const mixed = tf.reshape(tf.matMul(probabilities, allValues), [heads, batch * n, headWidth]); // [H, B·n, k]
  return {
    mixed: tf.reshape(tf.transpose(mixed, [1, 0, 2]), [batch * n, heads * headWidth]) as tf.Tensor2D, // [B·n, d]
    ...(needsReceived && {received: receivedAttention(probabilities, compressed)}),
  };
}

function positionScores(queries: tf.Tensor3D, bias: tf.Tensor3D, keys: tf.Tensor3D, batch: number): tf.Tensor4D {
  return relativeShift(tf.matMul(tf.add(queries, bias) as tf.Tensor3D, keys), batch);
}

function receivedAttention(probabilities: tf.Tensor4D, compressed: number): tf.Tensor2D {
  const recent = tf.slice(probabilities, [0, 0, 0, compressed], [-1, -1, -1, -1]); // [H, B, n, n_m + n]
  return tf.mean(tf.sum(recent, 2), 0);
}
