import * as tf from '@tensorflow/tfjs';
import {joinSlices} from './join-slices.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import {projectHeads} from './project-heads.ts';
import {relativeShift} from './relative-shift.ts';
import type {SegmentRows} from './update-memory.ts';

/**
 * Attention of a segment over compressed memory, memory and itself, with relative positions of their own for each memory tier
 * (docs/model.md, "One step").
 *
 * @param rows Normalised inputs. [B, n, d]
 * @param mask 0 where a key is visible, −1e9 where not. [1, B or 1, n, K]
 * @returns The attention's output [B·n, d], and what the memory update needs.
 */
export function relativeAttention(
  rows: tf.Tensor3D,
  {memory, mask, config, weights}: {memory: LayerMemory; mask: tf.Tensor4D; config: ModelConfig; weights: LayerWeights},
): {output: tf.Tensor2D; segment: SegmentRows} {
  const {heads, modelWidth, memoryLength, compressedMemoryLength} = config;
  const [batch, n] = rows.shape;
  const headWidth = modelWidth / heads; // k
  const [query, keys, values] = projectHeads(rows, weights.queryKeyValue, heads) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const slots = compressedMemoryLength + memoryLength + n; // K
  const whole = {axis: 2, start: 0, size: slots};
  const allKeys = joinSlices([memory.compressedKeys, memory.keys, keys], whole); // [H, B, K, k]
  const allValues = joinSlices([memory.compressedValues, memory.values, values], whole); // [H, B, K, k]

  const queries = tf.reshape(query, [heads, batch * n, headWidth]) as tf.Tensor3D; // [H, B·n, k]
  const contentQueries = tf.reshape(tf.add(queries, weights.contentBias), query.shape); // [H, B, n, k]
  const content = tf.matMul(contentQueries, allKeys, false, true); // [H, B, n, K]
  const recent = positionScores(queries, weights.positionBias, weights.positionKeys, batch); // [H, B, n, n_m + n]
  const position =
    weights.compressedPositionKeys === undefined
      ? recent
      : tf.concat(
          [
            tf.slice(
              positionScores(queries, weights.compressedPositionBias!, weights.compressedPositionKeys, batch),
              [0, 0, 0, 0],
              [-1, -1, -1, compressedMemoryLength],
            ),
            recent,
          ],
          3,
        ); // [H, B, n, K]
  const probabilities = tf.softmax(tf.add(tf.add(content, position), mask)) as tf.Tensor4D; // [H, B, n, K]
  const mixed = tf.reshape(tf.matMul(probabilities, allValues), [heads, batch * n, headWidth]); // [H, B·n, k]
  const merged = tf.reshape(tf.transpose(mixed, [1, 0, 2]), [batch * n, modelWidth]) as tf.Tensor2D; // [B·n, d]
  return {
    output: tf.matMul(merged, weights.output), // [B·n, d]
    segment: {
      rows,
      keys,
      values,
      ...(config.compressor === 'most-used' &&
        compressedMemoryLength > 0 && {attention: receivedAttention(probabilities, compressedMemoryLength)}),
    },
  };
}

function positionScores(queries: tf.Tensor3D, bias: tf.Tensor3D, keys: tf.Tensor3D, batch: number): tf.Tensor4D {
  return relativeShift(tf.matMul(tf.add(queries, bias) as tf.Tensor3D, keys), batch);
}

/** Attention that each row beyond the compressed memory receives, summed over queries, averaged over heads. [B, n_m + n] */
function receivedAttention(probabilities: tf.Tensor4D, compressedMemoryLength: number): tf.Tensor2D {
  const recent = tf.slice(probabilities, [0, 0, 0, compressedMemoryLength], [-1, -1, -1, -1]); // [H, B, n, n_m + n]
  return tf.mean(tf.sum(recent, 2), 0);
}
