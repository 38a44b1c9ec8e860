import type * as tf from '@tensorflow/tfjs';

/** Shape and type of a tensor; a tensor is one itself. */
export type TensorSpec = {
  readonly shape: readonly number[];
  /** @default 'float32' */
  readonly dtype?: tf.DataType;
};

/** A structure with a specification in the place of each tensor. */
export type SpecsOf<T> = T extends tf.Tensor ? TensorSpec : {readonly [K in keyof T]: SpecsOf<T[K]>};
