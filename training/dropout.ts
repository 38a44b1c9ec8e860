import {tf} from '../model/tf.ts';
import type {TrainingKernels} from './kernels/training-kernels.ts';

/**
 * Dropout whose masks follow from a seed that is a tensor, so that a compiled step draws other ones at each call: each use of `apply`
 * draws from the seed and the number of the use.
 */
export class Dropout {
  readonly #rate: number;
  readonly #seed: tf.Tensor1D;
  readonly #drop: TrainingKernels['drop'];
  #uses = 0;

  /**
   * @param rate Probability of dropping, 0 to less than 1.
   * @param options.seed int32 [2]; the second number is added to the number of the use.
   */
  constructor(rate: number, {seed, kernels}: {seed: tf.Tensor1D; kernels: Pick<TrainingKernels, 'drop'>}) {
    this.#rate = rate;
    this.#seed = seed;
    this.#drop = kernels.drop;
  }

  /** Drops elements and scales the others up, so that expectations stay. */
  readonly apply = <T extends tf.Tensor>(x: T): T => {
    if (this.#rate === 0) return x;
    const seed = tf.add(this.#seed, tf.tensor1d([0, this.#uses++], 'int32')) as tf.Tensor1D;
    return this.#drop(x, {rate: this.#rate, seed});
  };
}
