import type * as tf from '@tensorflow/tfjs';
import type {Kernels} from '../../model/kernels/kernels.ts';
import type {FeedForwardWeights} from '../../model/layer-weights.ts';
import type {AdamSchedule, AdamWeight} from '../optimiser/adam.ts';

/** The parts of a step that an engine may do in one pass over memory, all that losses depend on with gradients. */
export interface TrainingKernels extends Kernels {
  /** What the feed-forward sublayer adds to x: relu(LN(x) W_inner + b_inner) W_outer + b_outer. x [S, d] → [S, d] */
  feedForwardSublayer(x: tf.Tensor2D, weights: FeedForwardWeights): tf.Tensor2D;
  /** −log softmax(logits)[target] of each row, in nats. logits [S, V], targets int32 [S] → [S] */
  crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D;
  /** Sum of squares. → [] */
  squaredNorm(gradient: tf.Tensor): tf.Scalar;
  /** One update by the gradient times `factor`. */
  adam(state: AdamWeight, gradient: tf.Tensor, options: AdamSchedule & {readonly factor: tf.Scalar}): AdamWeight;
}
