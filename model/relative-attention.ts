import type * as tf from '@tensorflow/tfjs';
import type {Kernels, VisibleKeys} from './kernels/kernels.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import {needsReceivedAttention} from './needs-received-attention.ts';
import {projectHeads} from './project-heads.ts';
import type {SegmentRows} from './update-memory.ts';

export type RelativeAttentionOptions = {
  readonly memory: LayerMemory;
  readonly visible: VisibleKeys;
  readonly config: ModelConfig;
  readonly weights: LayerWeights;
  readonly kernels: Kernels;
};

/**
 * Attention of a segment over compressed memory, memory and itself, projections included.
 *
 * @param rows Normalised inputs. [B, n, d]
 * @returns The attention's output [B·n, d], and what the memory update needs.
 */
export function relativeAttention(
  rows: tf.Tensor3D,
  {memory, visible, config, weights, kernels}: RelativeAttentionOptions,
): {output: tf.Tensor2D; segment: SegmentRows} {
  const [queries, keys, values] = projectHeads(rows, weights.queryKeyValue, {heads: config.heads, kernels}) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const needsReceived = needsReceivedAttention(config);
  const {mixed, received} = kernels.attend({queries, keys, values, memory, weights, visible, needsReceived});
  return {
    output: kernels.matMul(mixed, weights.output), // [B·n, d]
    segment: {rows, queries, keys, values, ...(received !== undefined && {attention: received})},
  };
}
