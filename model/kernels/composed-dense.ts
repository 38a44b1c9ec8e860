import {tf} from '../tf.ts';
import type {PackedMatrix} from './packed-matrix.ts';

/** A matrix as it is, or its transpose. */
export type ComposedMatrix = PackedMatrix & {readonly transposed: boolean};

/** x W. x [S, K], W [K, N] or its transpose [N, K] → [S, N] */
export function composedDense(x: tf.Tensor2D, matrix: PackedMatrix): tf.Tensor2D {
  const {packed, transposed} = matrix as ComposedMatrix;
  return tf.matMul(x, packed as tf.Tensor2D, false, transposed);
}
