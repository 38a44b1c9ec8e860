import {tf} from '../tf.ts';
import type {NativeBackend, NativeBinding, TensorMetadata} from './native-backend.ts';
import {randomOperations} from './random-operations.ts';
import type {ConstantNode, InputNode, OperationAttribute, OperationNode, RecordedGraph} from './recorded-graph.ts';
import {valueShapedOperations} from './value-shaped-operations.ts';

/** What is used of tfjs's engine beyond its types. */
type Engine = {
  readonly state: {readonly activeScope: {readonly name: string} | null};
  startScope(name?: string): void;
  makeTensorFromTensorInfo(info: tf.TensorInfo): tf.Tensor;
};

/** Attributes that tfjs leaves to be found from the type of the first input, which only eager calls do. */
const inferredTypes: Readonly<Record<string, readonly string[]>> = {ExpandDims: ['T']};

/** Its kernel reads the indices only to refuse those out of range, which TensorFlow does as well. */
const mayRead = 'gather';

/** Operations that look at the shape of what they take, and not at its values. */
const shapeReaders: ReadonlySet<string> = new Set(['ZerosLike', 'OnesLike']);

/**
 * Captured tensors of more bytes stay where they are and are given to the graph at each call. Small ones are written into it, since
 * TensorFlow plans by them: shapes, axes, paddings.
 */
const constantBytes = 1024;

/**
 * Writes down every operation that tfjs-node gives to TensorFlow.
 *
 * It works below automatic differentiation, so that gradients are recorded like everything else.
 */
export class GraphRecorder {
  static #recording = false;

  readonly #backend: NativeBackend;
  readonly #binding: NativeBinding;
  readonly #holds: boolean;
  readonly #engine = tf.engine() as unknown as Engine;
  readonly #inputs: InputNode[] = [];
  readonly #sources: (tf.Tensor | undefined)[] = [];
  readonly #constants: ConstantNode[] = [];
  readonly #operations: OperationNode[] = [];
  /** Values by the ids of tensors that are there. */
  readonly #values = new Map<number, string>();
  readonly #types = new Map<number, number>();
  /** Where the values of a tensor are that an operation took. */
  readonly #data = new Map<number, object>();
  /** What depends on inputs. */
  readonly #computed = new Set<number>();
  /** The first thing that was refused; the function may have caught its error. */
  #refusal: TypeError | undefined;

  /** @param options.holds Whether large captured tensors are given to the graph at each call, and not written into it. */
  constructor(backend: NativeBackend, {holds}: {holds: boolean}) {
    this.#backend = backend;
    this.#binding = backend.binding;
    this.#holds = holds;
  }

  /** What is given to the graph, by positions: declared constants, variables, captured tensors; `undefined` for declared inputs. */
  get sources(): readonly (tf.Tensor | undefined)[] {
    return this.#sources;
  }

  /**
   * Declares a tensor that is given at each call.
   *
   * @param source What is given, if not an input of the call.
   */
  addInput(tensor: tf.Tensor, source?: tf.Tensor): void {
    const [id] = this.#backend.getInputTensorIds([tensor]) as [number];
    this.#computed.add(id);
    this.#addInput(id, {dataId: tensor.dataId, source});
  }

  /** Copies a tensor without recording it; both have one piece of memory. */
  copy(tensor: tf.Tensor): tf.Tensor {
    const [id] = this.#backend.getInputTensorIds([tensor]) as [number];
    const {dtype} = this.#backend.tensorMap.get(tensor.dataId);
    const type = {name: 'T', type: this.#binding.TF_ATTR_TYPE, value: dtype};
    return this.#backend.createOutputTensor(this.#binding.executeOp('Identity', [type], [id], 1)[0]!);
  }

  /**
   * Calls a function and records the operations that it runs on inputs and on what was computed from them. Everything else is captured.
   *
   * @throws {TypeError} If the function does what could not be repeated; the message names the operation.
   */
  record<T>(fn: () => T): T {
    if (GraphRecorder.#recording) {
      throw new TypeError(
        'Cannot compile as this is inside a function that is being compiled: compile the outer one whole',
      );
    }
    const backend = this.#backend;
    const engine = this.#engine;
    const {binding, getInputTensorIds} = backend;
    const {startScope} = engine;
    const {random} = Math;
    // The addon's own object cannot be changed.
    backend.binding = Object.create(binding, Object.getOwnPropertyDescriptors(this.#watchedBinding()));
    backend.getInputTensorIds = tensors => {
      const ids = getInputTensorIds.call(backend, tensors);
      // What tfjs gives instead of a tensor, such as a 64-bit number, has no data.
      for (const [index, {dataId}] of tensors.entries()) if (dataId !== undefined) this.#data.set(ids[index]!, dataId);
      return ids;
    };
    engine.startScope = name => {
      const operation = operationOf(name);
      if (operation !== undefined && randomOperations.has(operation)) this.#refuseDrawing(operation);
      startScope.call(engine, name);
    };
    Math.random = () => this.#refuseDrawing('Math.random');
    GraphRecorder.#recording = true;
    try {
      const result = fn();
      if (this.#refusal !== undefined) throw this.#refusal;
      return result;
    } catch (error) {
      throw this.#refusal ?? error;
    } finally {
      GraphRecorder.#recording = false;
      backend.binding = binding;
      backend.getInputTensorIds = getInputTensorIds;
      engine.startScope = startScope;
      Math.random = random;
    }
  }

  /** The graph of what leads to some tensors, be they computed, given or captured. */
  graph(outputs: readonly tf.Tensor[]): RecordedGraph {
    const ids = this.#backend.getInputTensorIds(outputs);
    // TensorFlow cannot give what it is given, nor the same value under two names.
    const given = outputs.map(({dataId}, index) => ({
      name: `output_${index}`,
      operation: 'Identity',
      inputs: [this.#valueOf(ids[index]!, dataId)],
      attributes: [{name: 'T', type: this.#binding.TF_ATTR_TYPE, value: this.#backend.tensorMap.get(dataId).dtype}],
    }));
    const needed = new Set(given.map(({name}) => name));
    const operations = [...this.#operations, ...given]
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
      outputs: given.map(({name}) => `${name}:0`),
    };
  }

  /**
   * Refuses to let a variable begin with values that differ from call to call.
   *
   * @throws {TypeError} If they depend on inputs or on other variables.
   */
  checkInitialValue(tensor: tf.Tensor): void {
    const operations = new Map(this.#operations.map(operation => [operation.name, operation]));
    const inputs = new Map(this.#inputs.map(({name, position}) => [name, this.#sources[position]]));
    const [id] = this.#backend.getInputTensorIds([tensor]) as [number];
    const value = this.#values.get(id);
    const nodes = new Set(value === undefined ? [] : [nodeOf(value)]);
    // Grows while it is gone through.
    for (const node of nodes) {
      const operation = operations.get(node);
      if (operation !== undefined && !shapeReaders.has(operation.operation)) {
        for (const input of operation.inputs) nodes.add(nodeOf(input));
      }
      if (!inputs.has(node)) continue;
      const source = inputs.get(node);
      if (source === undefined || source instanceof tf.Variable) {
        this.#refuse(
          'Cannot compile as a variable that "variable" makes of changing values would begin with the same ones at each call: make it outside, or use the tensor itself',
        );
      }
    }
  }

  #watchedBinding(): Pick<
    NativeBinding,
    'executeOp' | 'tensorDataSync' | 'deleteTensor' | 'loadSavedModel' | 'runSavedModel'
  > {
    const binding = this.#binding;
    const refuseGraphs = () =>
      this.#refuse('Cannot compile as the function runs a compiled function or a SavedModel: compile it whole');
    return {
      executeOp: (operation, attributes, inputs, outputs) => {
        const results = binding.executeOp(operation, attributes, inputs, outputs);
        this.#addOperation({operation, attributes, inputs, results});
        return results;
      },
      tensorDataSync: id => {
        const operation = operationOf(this.#engine.state.activeScope?.name);
        if (this.#computed.has(id) && operation !== mayRead) {
          // A graph that is kept is given other constants by later processes.
          const givers = this.#holds ? 'inputs' : 'inputs, or with a cache on constants,';
          this.#refuse(
            `Cannot compile as values that depend on ${givers} must stay in tensors: ${readerOf(operation)} reads some back to JavaScript`,
          );
        }
        return binding.tensorDataSync(id);
      },
      deleteTensor: id => {
        // The next tensor may have its id.
        for (const known of [this.#values, this.#types, this.#data, this.#computed]) known.delete(id);
        binding.deleteTensor(id);
      },
      loadSavedModel: refuseGraphs,
      runSavedModel: refuseGraphs,
    };
  }

  #refuse(message: string): never {
    this.#refusal ??= new TypeError(message);
    throw this.#refusal;
  }

  #refuseDrawing(operation: string): never {
    return this.#refuse(
      `Cannot compile as what "${operation}" draws would be the same at each call: draw outside and declare it as an input`,
    );
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
    if (/^(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal)/.test(operation))
      this.#refuseDrawing(operation);
    // What no input leads to is computed for good: whoever uses it captures it.
    if (!inputs.some(id => this.#computed.has(id))) return;
    if (valueShapedOperations.has(operation)) {
      const called = operationOf(this.#engine.state.activeScope?.name) ?? operation;
      this.#refuse(`Cannot compile as the shape of what "${called}" gives depends on values: use a mask`);
    }
    const name = `operation_${this.#operations.length}`;
    const taken = inputs.map(id => {
      const dataId = this.#data.get(id);
      if (dataId !== undefined) return this.#valueOf(id, dataId);
      return this.#refuse(`Cannot compile as "${operation}" takes a number that is not a tensor of tfjs`);
    });
    const inferred = (inferredTypes[operation] ?? []).map(attribute => ({
      name: attribute,
      type: this.#binding.TF_ATTR_TYPE,
      value: this.#types.get(inputs[0]!),
    }));
    this.#operations.push({name, operation, inputs: taken, attributes: [...attributes, ...inferred]});
    for (const [index, {id, dtype}] of results.entries()) {
      this.#typeName(dtype);
      this.#values.set(id, `${name}:${index}`);
      this.#types.set(id, dtype);
      this.#computed.add(id);
    }
  }

  /** The value of a tensor, which is captured if it comes from neither an input nor a recorded operation. */
  #valueOf(id: number, dataId: object): string {
    const value = this.#values.get(id);
    if (value !== undefined) return value;
    const {dtype, shape} = this.#backend.tensorMap.get(dataId);
    const type = this.#typeName(dtype);
    const isLarge = tf.util.sizeFromShape(shape) * tf.util.bytesPerElement(type) > constantBytes;
    if (this.#holds && isLarge) {
      this.#backend.incRef(dataId);
      const source = tf.keep(this.#engine.makeTensorFromTensorInfo({dataId, shape, dtype: type}));
      this.#addInput(id, {dataId, source});
    } else {
      const name = `constant_${this.#constants.length}`;
      // Read at once, since the function may dispose of it.
      this.#constants.push({name, dtype, shape, data: this.#binding.tensorDataSync(id)});
      this.#values.set(id, `${name}:0`);
      this.#types.set(id, dtype);
    }
    return this.#values.get(id)!;
  }

  #addInput(id: number, {dataId, source}: {dataId: object; source: tf.Tensor | undefined}): void {
    const {dtype, shape} = this.#backend.tensorMap.get(dataId);
    const position = this.#inputs.length;
    const name = `input_${position}`;
    this.#inputs.push({name, position, dtype, shape});
    this.#sources.push(source);
    this.#values.set(id, `${name}:0`);
    this.#types.set(id, dtype);
  }

  #typeName(dtype: number): 'float32' | 'int32' | 'bool' {
    const {TF_FLOAT, TF_INT32, TF_BOOL} = this.#binding;
    switch (dtype) {
      case TF_FLOAT:
        return 'float32';
      case TF_INT32:
        return 'int32';
      case TF_BOOL:
        return 'bool';
      default:
        return this.#refuse('Cannot compile as tensors must be of float32, int32 or bool: one of another type is used');
    }
  }
}

/** The operation whose scope has a name; undefined for scopes of other kinds. */
function operationOf(scope: string | undefined): string | undefined {
  return scope?.match(/^(.*)__op$/)?.[1];
}

/** Names what reads values: an operation of tfjs, of which those that wait for values have no scope, or a method of a tensor. */
function readerOf(operation: string | undefined): string {
  const {stackTraceLimit} = Error;
  Error.stackTraceLimit = 50;
  const {stack = ''} = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  // Methods call one another: the last on the stack is the one that was called first.
  const methods = [...stack.matchAll(/\bat (?:Tensor|Variable)\.(?:Tensor\.)?(\w+) /g)];
  const name = operation ?? /\b(\w+Async)_ \(/.exec(stack)?.[1] ?? methods.at(-1)?.[1];
  return name === undefined ? 'the function' : `"${name}"`;
}

/** The node of a value's name. */
function nodeOf(value: string): string {
  return value.slice(0, value.lastIndexOf(':'));
}
