import type * as tf from '@tensorflow/tfjs';
import type {Kernels} from '../../model/kernels/kernels.ts';

/** The parts of a step that an engine may do in one pass over memory, all of them with gradients. */
export interface TrainingKernels extends Kernels {
  /** −log softmax(logits)[target] of each row, in nats. logits [S, V], targets int32 [S] → [S] */
  crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D;
}
