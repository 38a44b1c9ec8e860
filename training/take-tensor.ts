import {ModelError} from '../errors.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import {tf} from '../model/tf.ts';

/** @throws {ModelError} If the tensor is missing or has another shape. */
export function takeTensor(
  tensors: ReadonlyMap<string, TensorData>,
  name: string,
  shape: readonly number[],
): tf.Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined || !tf.util.arraysEqual(tensor.shape as number[], shape as number[])) {
    throw new ModelError(
      `Cannot train as tensor "${name}" must have shape [${shape}]: current value is ${tensor === undefined ? 'missing' : `[${tensor.shape}]`}; weights and configuration must belong together`,
    );
  }
  return tf.tensor(tensor.data.slice(), shape.slice());
}
