import * as tf from '@tensorflow/tfjs';
import {feedForward} from './feed-forward.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import type {PreparedWeights} from './prepare-weights.ts';
import {relativeAttention} from './relative-attention.ts';
import {updateMemory} from './update-memory.ts';
import type {UpdatePlan} from './update-plan.ts';

export type ReadSegmentOptions = {
  readonly config: ModelConfig;
  readonly weights: PreparedWeights;
  /** v_m and v_cm of each document. int32 [B, 2] */
  readonly counts: tf.Tensor2D;
  readonly kernels: Kernels;
  /** From {@link planUpdate}; without it the memory is only read. */
  readonly plan?: UpdatePlan;
};

/**
 * One segment through the network: a pure function of tokens and memory, differentiable in the weights.
 *
 * @param tokens int32 [B, n]
 * @param memory Of each layer.
 * @returns Final hidden vectors [B, n, d], and the layers' memories after the segment if a plan was given.
 */
export function readSegment(
  tokens: tf.Tensor2D,
  memory: readonly LayerMemory[],
  {config, weights, counts, kernels, plan}: ReadSegmentOptions,
): {hidden: tf.Tensor3D; layers?: LayerMemory[]} {
  const [batch, n] = tokens.shape;
  const d = config.modelWidth;
  let x = tf.mul(tf.gather(weights.embedding, tf.reshape(tokens, [-1])), Math.sqrt(d)) as tf.Tensor2D; // [B·n, d]
  const visible = kernels.visibleKeys(counts, config);
  const layers: LayerMemory[] = [];
  for (const [index, layer] of weights.layers.entries()) {
    const {attentionNormalisation, feedForwardNormalisation} = layer;
    const normalised = kernels.layerNormalisation(x, attentionNormalisation.gain, attentionNormalisation.bias); // [B·n, d]
    const rows = tf.reshape(normalised, [batch, n, d]) as tf.Tensor3D; // [B, n, d]
    const layerMemory = memory[index]!;
    const attended = relativeAttention(rows, {memory: layerMemory, visible, config, weights: layer, kernels});
    if (plan !== undefined)
      layers.push(updateMemory(layerMemory, attended.segment, {config, weights: layer, plan, kernels}));
    x = tf.add(x, attended.output);
    const inner = kernels.layerNormalisation(x, feedForwardNormalisation.gain, feedForwardNormalisation.bias); // [B·n, d]
    x = feedForward(x, inner, {weights: layer.feedForward, kernels});
  }
  const {gain, bias} = weights.finalNormalisation;
  const hidden = tf.reshape(kernels.layerNormalisation(x, gain, bias), [batch, n, d]) as tf.Tensor3D; // [B, n, d]
  return {hidden, ...(plan !== undefined && {layers})};
}
