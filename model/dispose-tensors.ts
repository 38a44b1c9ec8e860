import {tf} from './tf.ts';

/** Disposes every tensor in a structure. */
export function disposeTensors(value: object): void {
  tf.dispose(value as tf.TensorContainer);
}
