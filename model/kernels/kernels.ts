import type * as tf from '@tensorflow/tfjs';
import type {LayerWeights} from '../layer-weights.ts';
import type {LayerMemory} from '../memory.ts';
import type {ModelConfig} from '../model-config.ts';

/** What the queries of a segment may see. */
export type VisibleKeys = {
  /** v_m and v_cm of each document. int32 [B, 2] */
  readonly counts: tf.Tensor2D;
  /** 0 where a key is visible, −1e9 where not; absent where kernels go by the counts. [1, B, n, K] */
  readonly mask?: tf.Tensor4D;
};

export type AttentionInput = {
  /** Scaled queries. [H, B, n, k] */
  readonly queries: tf.Tensor4D;
  /** Projections of the segment. [H, B, n, k] each */
  readonly keys: tf.Tensor4D;
  readonly values: tf.Tensor4D;
  readonly memory: LayerMemory;
  readonly weights: LayerWeights;
  readonly visible: VisibleKeys;
  /** Whether the attention that rows receive is needed. */
  readonly needsReceived: boolean;
};

export type AttentionOutput = {
  /** Mixed values, heads side by side. [B·n, d] */
  readonly mixed: tf.Tensor2D;
  /** Attention that memory and segment received, summed over queries, averaged over heads, if it was needed. [B, n_m + n] */
  readonly received?: tf.Tensor2D;
};

/** The parts of a step that an engine may do in one pass over memory. */
export interface Kernels {
  /** Layer normalisation over the last axis (Ba et al. 2016), ε = 1e-5. x [S, d], gain [d], bias [d] → [S, d] */
  layerNormalisation(x: tf.Tensor2D, gain: tf.Tensor, bias: tf.Tensor): tf.Tensor2D;
  /** x weight, or x weightᵀ. x [S, d], weight [d, f] or [f, d] → [S, f] */
  matMul(x: tf.Tensor2D, weight: tf.Tensor2D, transposed?: boolean): tf.Tensor2D;
  /** relu(x + bias). x [S, f], bias [f] → [S, f] */
  biasRelu(x: tf.Tensor2D, bias: tf.Tensor): tf.Tensor2D;
  /** x + y + bias. x [S, d], y [S, d], bias [d] → [S, d] */
  addWithBias(x: tf.Tensor2D, y: tf.Tensor2D, bias: tf.Tensor): tf.Tensor2D;
  /** log Σ exp over the last axis. x [S, V] → [S] */
  logSumExp(x: tf.Tensor2D): tf.Tensor1D;
  /** The last S slots of memory and what is added behind it. memory [.., S, w], added [.., E, w] → [.., S, w] */
  appendSlots<T extends tf.Tensor>(memory: T, added: T): T;
  /** Brings counts (int32 [B, 2]) into the form in which {@link attend} takes them; once for all layers of a step. */
  visibleKeys(counts: tf.Tensor2D, config: ModelConfig): VisibleKeys;
  /** Attention over compressed memory, memory and segment with relative positions (docs/model.md, "One step"). */
  attend(input: AttentionInput): AttentionOutput;
}
