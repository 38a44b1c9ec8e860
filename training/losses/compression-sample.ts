import type * as tf from '@tensorflow/tfjs';
import type {ModelConfig} from '../../model/model-config.ts';
import type {TrainingKernels} from '../kernels/training-kernels.ts';

/** What one layer compressed in a step, for a loss to judge. Everything but `compressed` counts as constant. */
export type CompressionSample = {
  /** Evicted rows, right-aligned, without those the compressor looks ahead to. [B, E·c, d] */
  readonly old: tf.Tensor3D;
  /** What the compressor made of them, as a function of its weights. [B, E, d] */
  readonly compressed: tf.Tensor3D;
  /** Scaled queries of the segment, without biases. [H, B, n, k] */
  readonly queries: tf.Tensor4D;
  /** Evicted rows of each document: whole windows. [B] */
  readonly evicted: tf.Tensor1D;
  /** What each document's loss counts; 0 for those that evict nothing. [B] */
  readonly documentWeights: tf.Tensor1D;
};

export type CompressionLossOptions = {
  readonly config: ModelConfig;
  readonly kernels: TrainingKernels;
};
