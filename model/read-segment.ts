import * as tf from '@tensorflow/tfjs';
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
    const layerMemory = memory[index]!;
    const options = {batch, memory: layerMemory, visible, config, weights: layer, kernels};
    const {output, segment} = relativeAttention(x, options);
    if (plan !== undefined) layers.push(updateMemory(layerMemory, segment, {config, weights: layer, plan, kernels}));
    x = kernels.feedForward(output, layer.feedForward);
  }
  const hidden = kernels.layerNormalisation(x, weights.finalNormalisation); // [B·n, d]
  return {hidden: tf.reshape(hidden, [batch, n, d]), ...(plan !== undefined && {layers})};
}
