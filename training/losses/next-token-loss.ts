import * as tf from '@tensorflow/tfjs';
import type {PackedMatrix} from '../../model/kernels/packed-matrix.ts';
import type {TrainingKernels} from '../kernels/training-kernels.ts';

/**
 * Cross-entropy of the token after each, in nats: Σ w (−log softmax(hidden Eᵀ)[target]).
 *
 * @param hidden Final hidden vectors. [S, d]
 * @param targets The token after each. int32 [S]
 * @param options.weights w: what each target counts; 0 where there is none. [S]
 * @param options.vocabulary Eᵀ. [d, V]
 * @returns The weighted sum [], and the nats of each target [S].
 */
export function nextTokenLoss(
  hidden: tf.Tensor2D,
  targets: tf.Tensor1D,
  {weights, vocabulary, kernels}: {weights: tf.Tensor1D; vocabulary: PackedMatrix; kernels: TrainingKernels},
): {loss: tf.Scalar; nats: tf.Tensor1D} {
  const logits = kernels.dense(hidden, vocabulary); // [S, V]
  const nats = kernels.crossEntropy(logits, targets); // [S]
  return {loss: tf.sum(tf.mul(nats, weights)), nats};
}
