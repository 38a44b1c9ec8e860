import type * as tf from '@tensorflow/tfjs';
import type {FeedForwardWeights, LayerWeights, NormalisationWeights} from '../layer-weights.ts';
import type {LayerMemory} from '../memory.ts';
import type {ModelConfig} from '../model-config.ts';
import type {PositionSizes} from '../position-keys.ts';
import type {PackedMatrix} from './packed-matrix.ts';

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

/** Rows [B, S, d], and their keys and values [H, B, S, k]. */
export type MemorySlots = readonly [rows: tf.Tensor3D, keys: tf.Tensor4D, values: tf.Tensor4D];

/** Which of several tensors, and which of its rows. */
export type RowPlace = readonly [tensor: number, row: number];

/** The parts of a step that an engine may do in one pass over memory. */
export interface Kernels {
  /** Brings a matrix [K, N], or its transpose [N, K], into the form in which the other kernels take it. */
  packMatrix(matrix: tf.Tensor2D, options?: {readonly transposed?: boolean}): PackedMatrix;
  /** Projected position keys R W_r of one memory tier, {@link positionKeys}. W_r [d, d] → [H, k, w + 1] with w = slots + n */
  positionKeys(projection: tf.Tensor2D, sizes: PositionSizes): tf.Tensor3D;
  /** Brings position keys [H, k, w + 1] into the form in which {@link attend} takes them. */
  packPositions(keys: tf.Tensor3D): tf.Tensor3D;
  /** √d E[token] of each token. tokens int32 [B, n], E [V, d] → [B·n, d] */
  embed(tokens: tf.Tensor2D, embedding: tf.Tensor2D): tf.Tensor2D;
  /** Layer normalisation over the last axis (Ba et al. 2016), ε = 1e-5. x [S, d] → [S, d] */
  layerNormalisation(x: tf.Tensor2D, weights: NormalisationWeights): tf.Tensor2D;
  /** x W. x [S, K], W [K, N] → [S, N] */
  dense(x: tf.Tensor2D, matrix: PackedMatrix): tf.Tensor2D;
  /** x + y W. x [S, N], y [S, K], W [K, N] → [S, N] */
  addDense(x: tf.Tensor2D, y: tf.Tensor2D, matrix: PackedMatrix): tf.Tensor2D;
  /** Projects rows [B, S, d] with matrices that lie side by side [d, p·d] → p tensors [H, B, S, k] */
  projectHeads(rows: tf.Tensor3D, matrix: PackedMatrix, heads: number): tf.Tensor4D[];
  /** x + relu(LN(x) W_inner + b_inner) W_outer + b_outer. x [S, d] → [S, d] */
  feedForward(x: tf.Tensor2D, weights: FeedForwardWeights): tf.Tensor2D;
  /** −log2 softmax(hidden Eᵀ)[token] of each row, in bits. hidden [S, d], tokens int32 [S], Eᵀ [d, V] → [S] */
  surprisal(hidden: tf.Tensor2D, tokens: tf.Tensor1D, embedding: PackedMatrix): tf.Tensor1D;
  /** Sum of each document's first vectors. hidden [B, n, d], lengths int32 [B] → [B, d] */
  sumTokens(hidden: tf.Tensor3D, lengths: tf.Tensor1D): tf.Tensor2D;
  /**
   * The last S slots of each memory and what is added behind it: of rows, keys and values, which all have S and E slots.
   *
   * memories [.., S, w], added [.., E, w] → [.., S, w]
   */
  appendSlots(memories: MemorySlots, added: MemorySlots): MemorySlots;
  /** Copies of rows of several tensors, side by side. tensors [.., B_i, ..] with rows along `axis` → [.., places, ..] */
  gatherRows<T extends tf.Tensor>(tensors: readonly T[], places: readonly RowPlace[], axis: number): T;
  /** Brings counts (int32 [B, 2]) into the form in which {@link attend} takes them; once for all layers of a step. */
  visibleKeys(counts: tf.Tensor2D, config: ModelConfig): VisibleKeys;
  /** Attention over compressed memory, memory and segment with relative positions (docs/model.md, "One step"). */
  attend(input: AttentionInput): AttentionOutput;
}
