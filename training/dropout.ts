import * as tf from '@tensorflow/tfjs';
import {nativeBackend} from '../model/compile/native-backend.ts';

/**
 * Dropout whose masks follow from a seed that is a tensor, so that a compiled step draws other ones at each call: each use of `apply`
 * draws with TensorFlow's counter-based generator from the seed and the number of the use.
 */
export class Dropout {
  readonly #rate: number;
  readonly #seed: tf.Tensor1D;
  #uses = 0;

  /**
   * @param rate Probability of dropping, 0 to less than 1.
   * @param seed int32 [2]; the second number is added to the number of the use.
   */
  constructor(rate: number, seed: tf.Tensor1D) {
    this.#rate = rate;
    this.#seed = seed;
  }

  /** Drops elements and scales the others up, so that expectations stay. */
  readonly apply = <T extends tf.Tensor>(x: T): T => {
    if (this.#rate === 0) return x;
    const uniform = tf.tidy(() => this.#uniform(x.shape)); // 0 ≤ u < 1
    const mask = tf.div(tf.cast(tf.greaterEqual(uniform, this.#rate), 'float32'), 1 - this.#rate);
    return tf.mul(x, mask);
  };

  #uniform(shape: number[]): tf.Tensor {
    const backend = nativeBackend()!;
    const {TF_ATTR_TYPE: type, TF_FLOAT, TF_INT32} = backend.binding;
    const seed = tf.add(this.#seed, tf.tensor1d([0, this.#uses++], 'int32'));
    const [uniform] = backend.executeMultipleOutputs(
      'StatelessRandomUniform',
      [
        {name: 'dtype', type, value: TF_FLOAT},
        {name: 'T', type, value: TF_INT32},
        {name: 'Tseed', type, value: TF_INT32},
      ],
      [tf.tensor1d(shape, 'int32'), seed],
      1,
    );
    return uniform!;
  }
}
