import * as tf from '@tensorflow/tfjs';
import type {NativeBackend, NativeBinding, TensorMetadata} from './native-backend.ts';
import {randomOperations} from './random-operations.ts';
import type {ConstantNode, InputNode, OperationAttribute, OperationNode, RecordedGraph} from './recorded-graph.ts';
import {valueShapedOperations} from './value-shaped-operations.ts';

/** What is used of tfjs's engine beyond its types. */
type Engine = {
  readonly state: {readonly activeScope: {readonly name: string} | null};
  startScope(name?: string): void;
};

/** Attributes that tfjs leaves to be found from the type of the first input, which only eager calls do. */
const inferredTypes: Readonly<Record<string, readonly string[]>> = {ExpandDims: ['T']};

/** Its kernel reads the indices only to refuse those out of range, which TensorFlow does as well. */
const mayRead = 'gather';

/**
 * Writes down every operation that tfjs-node gives to TensorFlow.
 *
 * It works below automatic differentiation, so that gradients are recorded like everything else.
 */
export class GraphRecorder {
  readonly #backend: NativeBackend;
  readonly #binding: NativeBinding;
  readonly #engine = tf.engine() as unknown as Engine;
  readonly #inputs: InputNode[] = [];
  readonly #constants: ConstantNode[] = [];
  readonly #operations: OperationNode[] = [];
  /** Values by the ids of their tensors, which are never used twice. */
  readonly #values = new Map<number, string>();
  readonly #types = new Map<number, number>();
  /** What depends on inputs. */
  readonly #computed = new Set<number>();

  constructor(backend: NativeBackend) {
    this.#backend = backend;
    this.#binding = backend.binding;
  }

  /** Declares a tensor that is given at each call. */
  addInput(tensor: tf.Tensor): void {
    const [id] = this.#backend.getInputTensorIds([tensor]) as [number];
    const {dtype, shape} = this.#backend.tensorMap.get(tensor.dataId);
    const position = this.#inputs.length;
    const name = `input_${position}`;
    this.#inputs.push({name, position, dtype, shape});
    this.#values.set(id, `${name}:0`);
    this.#types.set(id, dtype);
    this.#computed.add(id);
  }

  /** Copies a tensor without recording it. */
  copy(tensor: tf.Tensor): tf.Tensor {
    const [id] = this.#backend.getInputTensorIds([tensor]) as [number];
    const {dtype} = this.#backend.tensorMap.get(tensor.dataId);
    const type = {name: 'T', type: this.#binding.TF_ATTR_TYPE, value: dtype};
    return this.#backend.createOutputTensor(this.#binding.executeOp('Identity', [type], [id], 1)[0]!);
  }

  /**
   * Calls a function and records the operations that it runs.
   *
   * @throws {TypeError} If the function does what could not be repeated; the message names the operation.
   */
  record<T>(fn: () => T): T {
    const backend = this.#backend;
    const engine = this.#engine;
    const binding = this.#binding;
    const {getInputTensorIds} = backend;
    const {startScope} = engine;
    const watched: Pick<NativeBinding, 'executeOp' | 'tensorDataSync' | 'runSavedModel'> = {
      executeOp: (operation, attributes, inputs, outputs) => {
        const results = binding.executeOp(operation, attributes, inputs, outputs);
        this.#addOperation({operation, attributes, inputs, results});
        return results;
      },
      tensorDataSync: id => {
        const scope = operationOf(engine.state.activeScope?.name);
        if (this.#computed.has(id) && scope !== mayRead) {
          throw new TypeError(
            `Cannot compile as values that depend on inputs must stay in tensors: ${scope ?? 'the function'} reads some back to JavaScript`,
          );
        }
        return binding.tensorDataSync(id);
      },
      runSavedModel: () => {
        throw new TypeError(
          'Cannot compile as the function runs another compiled function or a SavedModel: compile it whole',
        );
      },
    };
    // The addon's own object cannot be changed.
    backend.binding = Object.create(binding, Object.getOwnPropertyDescriptors(watched));
    backend.getInputTensorIds = tensors => {
      const ids = getInputTensorIds.call(backend, tensors);
      for (const [index, tensor] of tensors.entries()) this.#addConstant(ids[index]!, tensor);
      return ids;
    };
    engine.startScope = name => {
      const operation = operationOf(name);
      if (operation !== undefined && randomOperations.has(operation)) {
        throw new TypeError(
          `Cannot compile as what "${operation}" draws would be the same at each call: draw outside and declare it as an input`,
        );
      }
      startScope.call(engine, name);
    };
    try {
      return fn();
    } finally {
      backend.binding = binding;
      backend.getInputTensorIds = getInputTensorIds;
      engine.startScope = startScope;
    }
  }

  /** The graph of what leads to some tensors that the recorded function computed. */
  graph(outputs: readonly tf.Tensor[]): RecordedGraph {
    const names = outputs.map(({dataId}) => this.#values.get(this.#backend.tensorMap.get(dataId).id)!);
    const needed = new Set(names.map(nodeOf));
    const operations = this.#operations
      .toReversed()
      .filter(({name, inputs}) => {
        if (!needed.has(name)) return false;
        for (const input of inputs) needed.add(nodeOf(input));
        return true;
      })
      .toReversed();
    return {
      inputs: this.#inputs.filter(({name}) => needed.has(name)),
      constants: this.#constants.filter(({name}) => needed.has(name)),
      operations,
      outputs: names,
    };
  }

  #addOperation({
    operation,
    attributes,
    inputs,
    results,
  }: {
    operation: string;
    attributes: readonly OperationAttribute[];
    inputs: readonly number[];
    results: readonly TensorMetadata[];
  }): void {
    if (valueShapedOperations.has(operation)) {
      throw new TypeError(`Cannot compile as the shape of what "${operation}" gives depends on values`);
    }
    const name = `operation_${this.#operations.length}`;
    const taken = inputs.map(id => this.#values.get(id));
    if (taken.includes(undefined)) {
      throw new TypeError(`Cannot compile as "${operation}" takes a number that is not a tensor of tfjs`);
    }
    const inferred = (inferredTypes[operation] ?? []).map(attribute => ({
      name: attribute,
      type: this.#binding.TF_ATTR_TYPE,
      value: this.#types.get(inputs[0]!),
    }));
    this.#operations.push({name, operation, inputs: taken as string[], attributes: [...attributes, ...inferred]});
    const computed = inputs.some(id => this.#computed.has(id));
    for (const [index, {id, dtype}] of results.entries()) {
      this.#values.set(id, `${name}:${index}`);
      this.#types.set(id, dtype);
      if (computed) this.#computed.add(id);
    }
  }

  /** Notes the values of a tensor that comes from neither an input nor an operation. */
  #addConstant(id: number, {dataId}: {readonly dataId?: object}): void {
    if (dataId === undefined || this.#values.has(id)) return;
    const {dtype, shape} = this.#backend.tensorMap.get(dataId);
    const {TF_FLOAT, TF_INT32, TF_BOOL} = this.#binding;
    if (![TF_FLOAT, TF_INT32, TF_BOOL].includes(dtype)) {
      throw new TypeError('Cannot compile as tensors must be of float32, int32 or bool: one of another dtype is used');
    }
    const name = `constant_${this.#constants.length}`;
    // Read at once, since the function may dispose of it.
    this.#constants.push({name, dtype, shape, data: this.#binding.tensorDataSync(id)});
    this.#values.set(id, `${name}:0`);
    this.#types.set(id, dtype);
  }
}

/** The operation whose scope has a name; undefined for scopes of other kinds. */
function operationOf(scope: string | undefined): string | undefined {
  return scope?.match(/^(.*)__op$/)?.[1];
}

/** The node of a value's name. */
function nodeOf(value: string): string {
  return value.slice(0, value.lastIndexOf(':'));
}
