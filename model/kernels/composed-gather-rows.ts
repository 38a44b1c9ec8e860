import {tf} from '../tf.ts';
import type {RowPlace} from './kernels.ts';

/** `Kernels.gatherRows` as operations that every engine has. */
export function composedGatherRows<T extends tf.Tensor>(
  tensors: readonly T[],
  places: readonly RowPlace[],
  axis: number,
): T {
  const starts: number[] = [];
  let rows = 0;
  for (const {shape} of tensors) {
    starts.push(rows);
    rows += shape[axis]!;
  }
  const indices = places.map(([tensor, row]) => starts[tensor]! + row);
  return tf.tidy(() => {
    const all = tensors.length === 1 ? tensors[0]! : (tf.concat([...tensors], axis) as T);
    return tf.gather(all, tf.tensor1d(indices, 'int32'), axis);
  });
}
