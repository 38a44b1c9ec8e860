import {nativeBackend} from '../../model/compile/native-backend.ts';
import {tf} from '../../model/tf.ts';
import type {DropOptions} from './training-kernels.ts';

/** Drops elements by a mask of TensorFlow's counter-based generator. */
export function composedDrop<T extends tf.Tensor>(x: T, {rate, seed}: DropOptions): T {
  const backend = nativeBackend()!;
  const {TF_ATTR_TYPE: type, TF_FLOAT, TF_INT32} = backend.binding;
  const uniform = tf.tidy(
    () =>
      backend.executeMultipleOutputs(
        'StatelessRandomUniform',
        [
          {name: 'dtype', type, value: TF_FLOAT},
          {name: 'T', type, value: TF_INT32},
          {name: 'Tseed', type, value: TF_INT32},
        ],
        [tf.tensor1d(x.shape, 'int32'), seed],
        1,
      )[0]!,
  ); // 0 ≤ u < 1
  const mask = tf.div(tf.cast(tf.greaterEqual(uniform, rate), 'float32'), 1 - rate);
  return tf.mul(x, mask);
}
