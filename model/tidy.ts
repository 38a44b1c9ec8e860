import {tf} from './tf.ts';

/** `tf.tidy` for any structure of tensors: disposes what `compute` made and does not return. */
export function tidy<T>(compute: () => T): T {
  return tf.tidy(compute as unknown as () => tf.TensorContainer) as unknown as T;
}
