import * as tf from '@tensorflow/tfjs';
import type {TensorflowOperations} from './tensorflow-operations.ts';

export type FusedProjectHeadsOptions = {
  readonly heads: number;
  /** Of the operations' names: the type in which they multiply. */
  readonly suffix: string;
  readonly operations: TensorflowOperations;
};

/**
 * Projects rows [B, S, d] with matrices that lie side by side [d, p·d] → p tensors [H, B, S, k], written and, backward, read where they lie.
 */
export function fusedProjectHeads(
  rows: tf.Tensor3D,
  matrices: tf.Tensor2D,
  {heads, suffix, operations}: FusedProjectHeadsOptions,
): tf.Tensor4D[] {
  const parts = matrices.shape[1] / rows.shape[2]; // p
  const kernelName = `PalimpsestTrainingProjectHeads${parts}${suffix}`;
  if (tf.getKernel(kernelName, 'tensorflow') === undefined) {
    register(kernelName, {parts, suffix, operations});
  }
  return tf.engine().runKernel(kernelName, {rows, matrices}, {heads}) as unknown as tf.Tensor4D[];
}

/** tf.customGrad differentiates functions of one result only. */
function register(
  kernelName: string,
  {parts, suffix, operations}: {parts: number; suffix: string; operations: TensorflowOperations},
): void {
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({inputs, attrs}) =>
      operations.runAll(kernelName, {
        inputs: [inputs.rows, inputs.matrices] as tf.Tensor[],
        outputs: parts,
        attributes: [operations.size((attrs as {heads: number}).heads)],
      }),
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: ['rows', 'matrices'],
    gradFunc: (dy, [rows, matrices]) => {
      const gradient = (operation: string, input: tf.Tensor) => () =>
        operations.run(`PalimpsestTrainingProjectHeads${operation}Gradient${parts}${suffix}`, [
          input,
          ...(dy as tf.Tensor[]),
        ]);
      return {rows: gradient('Rows', matrices!), matrices: gradient('Weight', rows!)};
    },
  });
}
