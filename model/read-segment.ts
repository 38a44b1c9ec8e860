import type {Kernels} from './kernels/kernels.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import type {PreparedWeights} from './prepare-weights.ts';
import {relativeAttention} from './relative-attention.ts';
import {tf} from './tf.ts';
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
  {config, weights, counts, kernels, plan}: ReadSegmentOptions,
): ReadSegment {
  const [batch, n] = tokens.shape;
  const d = config.modelWidth;
  let x = kernels.embed(tokens, weights.embedding); // [B·n, d]
  const visible = kernels.visibleKeys(counts, config);
  const layers: LayerMemory[] = [];
  const compressions: LayerCompression[] = [];
  for (const [index, layer] of weights.layers.entries()) {
    const layerMemory = memory[index]!;
    const options = {batch, memory: layerMemory, visible, config, weights: layer, kernels};
    const {output, segment} = relativeAttention(x, options);
    if (plan !== undefined) {
      const updated = updateMemory(layerMemory, segment, {config, weights: layer, plan, kernels});
      layers.push(updated.memory);
      if (updated.compression !== undefined) compressions.push(updated.compression);
    }
    x = kernels.feedForward(output, layer.feedForward);
  }
  const hidden = kernels.layerNormalisation(x, weights.finalNormalisation); // [B·n, d]
  return {
    hidden: tf.reshape(hidden, [batch, n, d]),
    ...(plan !== undefined && {layers}),
    ...(compressions.length > 0 && {compressions}),
  };
}
