import {tf} from './tf.ts';

/** Every tensor in arrays and objects, in their order. */
export function listTensors(value: unknown): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listTensors) : [];
}
