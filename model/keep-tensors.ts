import {tf} from './tf.ts';

/** Lets all tensors of an object outlive the scope they were made in. */
export function keepTensors<T extends object>(tensors: T): T {
  for (const tensor of Object.values(tensors)) tf.keep(tensor as tf.Tensor);
  return tensors;
}
