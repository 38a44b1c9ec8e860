import type {Kernels, VisibleKeys} from './kernels/kernels.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import {needsReceivedAttention} from './needs-received-attention.ts';
import {tf} from './tf.ts';
import type {SegmentRows} from './update-memory.ts';

export type RelativeAttentionOptions = {
  /** B */
  readonly batch: number;
  readonly memory: LayerMemory;
  readonly visible: VisibleKeys;
  readonly config: ModelConfig;
  readonly weights: LayerWeights;
  readonly kernels: Kernels;
};

/**
 * x and the attention of its segment over compressed memory, memory and itself.
 *
 * @param x [B·n, d]
 * @returns The sum [B·n, d], and what the memory update needs.
 */
export function relativeAttention(
  x: tf.Tensor2D,
  {batch, memory, visible, config, weights, kernels}: RelativeAttentionOptions,
): {output: tf.Tensor2D; segment: SegmentRows} {
  const {segmentLength: n, modelWidth: d, heads} = config;
  const normalised = kernels.layerNormalisation(x, weights.attentionNormalisation); // [B·n, d]
  const rows = tf.reshape(normalised, [batch, n, d]) as tf.Tensor3D; // [B, n, d]
  const [queries, keys, values] = kernels.projectHeads(rows, weights.queryKeyValue, heads) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const needsReceived = needsReceivedAttention(config);
  const {mixed, received} = kernels.attend({queries, keys, values, memory, weights, visible, needsReceived});
  return {
    output: kernels.addDense(x, mixed, weights.output), // [B·n, d]
    segment: {rows, queries, keys, values, ...(received !== undefined && {attention: received})},
  };
}
