import * as tf from '@tensorflow/tfjs';
import {feedForward} from './feed-forward.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import type {PreparedWeights} from './prepare-weights.ts';
import {relativeAttention} from './relative-attention.ts';
import {type LayerCompression, updateMemory} from './update-memory.ts';
import type {UpdatePlan} from './update-plan.ts';

export type ReadSegmentOptions = {
  readonly config: ModelConfig;
  readonly weights: PreparedWeights;
  /** v_m and v_cm of each document. int32 [B, 2] */
  readonly counts: tf.Tensor2D;
  readonly kernels: Kernels;
  /** From {@link planUpdate}; without it the memory is only read. */
  readonly plan?: UpdatePlan;
  /** Applied to the embedding and to what each part of a layer adds to it, while training. [B·n, d] → [B·n, d] */
  readonly dropout?: (x: tf.Tensor2D) => tf.Tensor2D;
};

export type ReadSegment = {
  /** Final hidden vectors. [B, n, d] */
  readonly hidden: tf.Tensor3D;
  /** Memories of the layers after the segment, if there was a plan. */
  readonly layers?: readonly LayerMemory[];
  /** What each layer compressed, if there was a plan and n_cm > 0. */
  readonly compressions?: readonly LayerCompression[];
};

/**
 * One segment through the network: a pure function of tokens and memory, differentiable in the weights.
 *
 * @param tokens int32 [B, n]
 * @param memory Of each layer.
 */
export function readSegment(
  tokens: tf.Tensor2D,
  memory: readonly LayerMemory[],
  {config, weights, counts, kernels, plan, dropout}: ReadSegmentOptions,
): ReadSegment {
  const [batch, n] = tokens.shape;
  const d = config.modelWidth;
  const embedded = tf.mul(tf.gather(weights.embedding, tf.reshape(tokens, [-1])), Math.sqrt(d)) as tf.Tensor2D; // [B·n, d]
  let x = dropout?.(embedded) ?? embedded;
  const visible = kernels.visibleKeys(counts, config);
  const layers: LayerMemory[] = [];
  const compressions: LayerCompression[] = [];
  for (const [index, layer] of weights.layers.entries()) {
    const {attentionNormalisation, feedForwardNormalisation} = layer;
    const normalised = kernels.layerNormalisation(x, attentionNormalisation.gain, attentionNormalisation.bias); // [B·n, d]
    const rows = tf.reshape(normalised, [batch, n, d]) as tf.Tensor3D; // [B, n, d]
    const layerMemory = memory[index]!;
    const attended = relativeAttention(rows, {memory: layerMemory, visible, config, weights: layer, kernels});
    if (plan !== undefined) {
      const updated = updateMemory(layerMemory, attended.segment, {config, weights: layer, plan, kernels});
      layers.push(updated.memory);
      if (updated.compression !== undefined) compressions.push(updated.compression);
    }
    x = tf.add(x, dropout?.(attended.output) ?? attended.output);
    const inner = kernels.layerNormalisation(x, feedForwardNormalisation.gain, feedForwardNormalisation.bias); // [B·n, d]
    x = feedForward(x, inner, {weights: layer.feedForward, kernels, ...(dropout && {dropout})});
  }
  const {gain, bias} = weights.finalNormalisation;
  const hidden = tf.reshape(kernels.layerNormalisation(x, gain, bias), [batch, n, d]) as tf.Tensor3D; // [B, n, d]
  return {hidden, ...(plan !== undefined && {layers}), ...(compressions.length > 0 && {compressions})};
}
