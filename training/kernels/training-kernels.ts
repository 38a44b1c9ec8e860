import type * as tf from '@tensorflow/tfjs';
import type {Kernels} from '../../model/kernels/kernels.ts';
import type {PackedMatrix} from '../../model/kernels/packed-matrix.ts';
import type {FeedForwardWeights} from '../../model/layer-weights.ts';
import type {AdamSchedule, AdamWeight} from '../optimiser/adam.ts';

export type NextTokenInput = {
  /** Final hidden vectors. [S, d] */
  readonly hidden: tf.Tensor2D;
  /** The token after each. int32 [S] */
  readonly targets: tf.Tensor1D;
  /** w: what each target counts; 0 where there is none. [S] */
  readonly weights: tf.Tensor1D;
  /** Eᵀ. [d, V] */
  readonly vocabulary: PackedMatrix;
};

export type NextTokenLoss = {
  /** Σ w (−log softmax(hidden Eᵀ)[target]), in nats. [] */
  readonly loss: tf.Scalar;
  /** Of each target, without its weight. A constant. [S] */
  readonly nats: tf.Tensor1D;
};

export type ReconstructionInput = {
  /** A constant. [H, B, n, k] */
  readonly queries: tf.Tensor4D;
  /** Projections of evicted rows, right-aligned; constants. [H, B, E·c, k] each */
  readonly old: {readonly keys: tf.Tensor4D; readonly values: tf.Tensor4D};
  /** Projections of what stands for them. [H, B, E, k] each */
  readonly compressed: {readonly keys: tf.Tensor4D; readonly values: tf.Tensor4D};
  /** Evicted rows of each document: whole windows. [B] */
  readonly evicted: tf.Tensor1D;
  /** What each document counts; 0 for those that evict nothing. [B] */
  readonly documentWeights: tf.Tensor1D;
  readonly compressionRate: number;
};

export type DropOptions = {
  /** Probability of dropping, above 0 and below 1. */
  readonly rate: number;
  /** What the mask follows from. int32 [2] */
  readonly seed: tf.Tensor1D;
};

/** The parts of a step that an engine may do in one pass over memory, all that losses depend on with gradients. */
export interface TrainingKernels extends Kernels {
  /** What the feed-forward sublayer adds to x: relu(LN(x) W_inner + b_inner) W_outer + b_outer. x [S, d] → [S, d] */
  feedForwardSublayer(x: tf.Tensor2D, weights: FeedForwardWeights): tf.Tensor2D;
  /** Cross-entropy of the token after each. */
  nextTokenLoss(input: NextTokenInput): NextTokenLoss;
  /** Σ over documents of weight · mean over heads, queries and width of (att(Q, old) − att(Q, compressed))², by content alone. → [] */
  attentionReconstruction(input: ReconstructionInput): tf.Scalar;
  /** Elements dropped, the others scaled up so that expectations stay. */
  drop<T extends tf.Tensor>(x: T, options: DropOptions): T;
  /** Sum of squares. → [] */
  squaredNorm(gradient: tf.Tensor): tf.Scalar;
  /** One update by the gradient times `factor`. */
  adam(state: AdamWeight, gradient: tf.Tensor, options: AdamSchedule & {readonly factor: tf.Scalar}): AdamWeight;
}
