import {tf} from './tf.ts';

/** x as a constant: nothing before it gets a gradient through what is returned, nor is one computed. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  // An operation without inputs on the tape, which ends every path through it.
  return tf.customGrad(() => ({value: tf.clone(x), gradFunc: () => []}))() as T;
}
