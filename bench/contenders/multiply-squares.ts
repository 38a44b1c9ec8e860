import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import {tf} from '../../model/tf.ts';
import type {ContenderTask} from '../contender-process.ts';

/** Gives what multiplies two 2048 by 2048 matrices on the current engine, as a step does: by kernels of our own where the engine has them. */
export function multiplySquares(precision: ContenderTask['precision']): () => Promise<void> {
  const [left, right] = [tf.randomNormal<tf.Rank.R2>([2048, 2048]), tf.randomNormal<tf.Rank.R2>([2048, 2048])];
  const kernels = fusedKernels(precision);
  const packed = kernels?.packMatrix(right);
  return async () => {
    const corner = tf.tidy(() =>
      tf.slice(packed ? kernels!.dense(left, packed) : tf.matMul(left, right), [0, 0], [1, 1]),
    );
    // A GPU returns before it is done: one element is read to wait for it.
    await corner.data();
    corner.dispose();
  };
}
