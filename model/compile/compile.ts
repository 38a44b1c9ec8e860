import * as tf from '@tensorflow/tfjs';
import {tidy} from '../tidy.ts';
import {buildStructure} from './build-structure.ts';
import {CompiledGraph} from './compiled-graph.ts';
import {flattenStructure} from './flatten-structure.ts';
import {flattenTensors} from './flatten-tensors.ts';
import {nativeBackend} from './native-backend.ts';
import type {SpecsOf, TensorSpec} from './tensor-spec.ts';

export type CompileOptions<I> = {
  /** Shape and type of each input; example tensors will do, and stay as they are. */
  readonly inputs: SpecsOf<I>;
  /** Arrays and objects of tensors that the function uses besides, the same at each call, such as a model's weights. */
  readonly constants?: object;
};

/** A function of tensors that runs as one call of TensorFlow. Disposing of it frees its graph. */
export type CompiledFunction<I, O> = Disposable & ((inputs: I) => O);

/**
 * Compiles a function of tfjs operations for inputs of fixed shapes. On tfjs-node, it is recorded once, as a graph of TensorFlow, and then
 * each call is one call of that graph; on other backends, and on GPUs, each call runs the function.
 *
 * Gradients and optimizers may be part of the function. Variables are read and assigned at each call. All else that is not an input keeps
 * the value that it had when the function was compiled: other tensors, numbers, branches that JavaScript takes.
 *
 * @param fn Takes inputs and gives outputs as tensors in arrays and objects. It is called once, here, with zeros.
 * @returns Takes and gives the same structures; the tensors that it gives are new ones, which belong to the caller.
 * @throws {TypeError} If the function reads values back to JavaScript, draws random numbers, uses shapes that depend on values, or
 * gives anything but tensors; the message names the operation.
 */
export function compile<I extends object, O extends object>(
  fn: (inputs: I) => O,
  {inputs, constants = {}}: CompileOptions<I>,
): CompiledFunction<I, O> {
  const specs: {readonly path: string; readonly spec: TensorSpec}[] = [];
  const template = flattenStructure<TensorSpec>(inputs, {
    isLeaf: isSpec,
    add: (spec, path) => specs.push({path, spec}),
    expected: 'specifications of inputs',
  });
  const backend = nativeBackend();
  const given: tf.Tensor[] = [];
  flattenTensors(constants, given);
  const graph =
    backend &&
    CompiledGraph.record(inputs => fn(buildStructure(template, inputs) as I), {
      backend,
      specs: specs.map(({spec}) => spec),
      constants: given,
      portable: false,
    });
  const call = (given: I): O => {
    const tensors: tf.Tensor[] = [];
    flattenTensors(given, tensors);
    checkInputs(tensors, specs);
    if (graph !== undefined) return graph.run(tensors) as O;
    return tidy(() => {
      const results: tf.Tensor[] = [];
      const outputs = flattenTensors(fn(given), results);
      // Copies of references: the caller may dispose of them, be they inputs or captured.
      return buildStructure(outputs, results.map(tf.clone)) as O;
    });
  };
  return Object.assign(call, {[Symbol.dispose]: () => graph?.[Symbol.dispose]()});
}

function isSpec(value: unknown): value is TensorSpec {
  return typeof value === 'object' && value !== null && 'shape' in value && isShape(value.shape);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(length => Number.isSafeInteger(length) && length >= 0);
}

function checkInputs(
  tensors: readonly tf.Tensor[],
  specs: readonly {readonly path: string; readonly spec: TensorSpec}[],
): void {
  if (tensors.length !== specs.length) {
    throw new RangeError(
      `Cannot call a compiled function as it takes ${specs.length} tensors: there are ${tensors.length}`,
    );
  }
  for (const [index, {path, spec}] of specs.entries()) {
    const {shape, dtype} = tensors[index]!;
    const expected = spec.dtype ?? 'float32';
    if (dtype === expected && tf.util.arraysEqual(shape, spec.shape as number[])) continue;
    const name = path === '' ? 'its input' : `"${path}"`;
    throw new RangeError(
      `Cannot call a compiled function as ${name} must be ${expected} [${spec.shape}]: it is ${dtype} [${shape}]`,
    );
  }
}
