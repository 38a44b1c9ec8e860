import type * as tf from '@tensorflow/tfjs';
import {nativeBackend} from '../../model/compile/native-backend.ts';
import type {OperationAttribute} from '../../model/compile/recorded-graph.ts';

/** Runs operations of TensorFlow by their names, below automatic differentiation. */
export class TensorflowOperations {
  readonly #backend = nativeBackend()!;

  /** An operation with one output. Those of TensorFlow's own get float32 as their type. */
  readonly run = (
    name: string,
    inputs: readonly tf.Tensor[],
    attributes: readonly OperationAttribute[] = [],
  ): tf.Tensor => this.#backend.executeMultipleOutputs(name, this.#typed(name, attributes), inputs, 1)[0]!;

  readonly runAll = (
    name: string,
    {
      inputs,
      outputs,
      attributes = [],
    }: {inputs: readonly tf.Tensor[]; outputs: number; attributes?: readonly OperationAttribute[]},
  ): tf.Tensor[] => this.#backend.executeMultipleOutputs(name, this.#typed(name, attributes), inputs, outputs);

  /** An attribute that is true or false, false if absent. */
  flag(name: string, value = false): OperationAttribute {
    return {name, type: this.#backend.binding.TF_ATTR_BOOL, value};
  }

  /** The attribute of operations of model/engine/fused/. */
  size(value: number): OperationAttribute {
    return {name: 'size', type: this.#backend.binding.TF_ATTR_INT, value};
  }

  type(name: string, type: 'float32' | 'int32'): OperationAttribute {
    const {TF_ATTR_TYPE, TF_FLOAT, TF_INT32} = this.#backend.binding;
    return {name, type: TF_ATTR_TYPE, value: type === 'float32' ? TF_FLOAT : TF_INT32};
  }

  #typed(name: string, attributes: readonly OperationAttribute[]): readonly OperationAttribute[] {
    return name.startsWith('Palimpsest') ? attributes : [...attributes, this.type('T', 'float32')];
  }
}
