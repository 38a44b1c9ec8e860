import type {OperationAttribute} from '../../model/compile/recorded-graph.ts';
import {tf} from '../../model/tf.ts';
import type {TensorflowOperations} from './tensorflow-operations.ts';

export type FusedOperation<Input extends string> = {
  readonly inputs: readonly Input[];
  readonly outputs: number;
  /** Outputs that the gradient needs, by number. */
  readonly saves?: readonly number[];
  /** Gives the gradients by some of the inputs; is given those of the outputs, all inputs, and the outputs that are saved. */
  readonly gradient: (
    dy: readonly tf.Tensor[],
    saved: Readonly<Record<Input, tf.Tensor>>,
    outputs: readonly tf.Tensor[],
  ) => Partial<Record<Input, () => tf.Tensor>>;
};

/**
 * An operation of model/engine/fused/ with several outputs, differentiable: tf.customGrad differentiates functions of one result only.
 *
 * @param name Of the operation.
 */
export function fusedOperation<Input extends string>(
  name: string,
  {inputs: names, outputs: count, saves = [], gradient}: FusedOperation<Input>,
  operations: TensorflowOperations,
): (inputs: Readonly<Record<Input, tf.Tensor>>, attributes?: readonly OperationAttribute[]) => tf.Tensor[] {
  if (tf.getKernel(name, 'tensorflow') === undefined) {
    tf.registerKernel({
      kernelName: name,
      backendName: 'tensorflow',
      kernelFunc: ({inputs, attrs}) =>
        operations.runAll(name, {
          inputs: names.map(input => inputs[input] as tf.Tensor),
          outputs: count,
          attributes: attrs?.attributes as unknown as OperationAttribute[],
        }),
    });
    tf.registerGradient({
      kernelName: name,
      inputsToSave: [...names],
      outputsToSave: Array.from({length: count}, (_, output) => saves.includes(output)),
      gradFunc: (dy, saved) => {
        const given = Object.fromEntries(names.map((input, i) => [input, saved[i]!])) as Record<Input, tf.Tensor>;
        return gradient(dy as tf.Tensor[], given, saved.slice(names.length)) as Record<string, () => tf.Tensor>;
      },
    });
  }
  return (inputs, attributes = []) =>
    tf.engine().runKernel(name, inputs, {
      attributes: attributes as unknown as tf.NamedAttrMap[string],
    }) as unknown as tf.Tensor[];
}
