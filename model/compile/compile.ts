import {tf} from '../tf.ts';
import {tidy} from '../tidy.ts';
import {buildStructure} from './build-structure.ts';
import {cacheKey} from './cache-key.ts';
import {CompiledGraph} from './compiled-graph.ts';
import {flattenStructure} from './flatten-structure.ts';
import {type FlatTensors, flattenTensors} from './flatten-tensors.ts';
import {GraphCache} from './graph-cache.ts';
import {nativeBackend} from './native-backend.ts';
import type {SpecsOf, TensorSpec} from './tensor-spec.ts';

export type CompileOptions<I> = {
  /**
   * Shape and type of each input. Example tensors will do, and stay as they are: the function is then recorded with their values, which
   * it may need to be valid.
   */
  readonly inputs: SpecsOf<I>;
  /**
   * Tensors that the function uses besides, the same at each call, such as a model's weights: in arrays and objects, of any size. With
   * `cache`, they are no part of the graph that is kept, so that what depends on them alone is computed at each call: compute it before,
   * and declare the results.
   *
   * @default {}
   */
  readonly constants?: object;
  /**
   * Keeps the graph on disk under this name, so that a later process loads it without calling the function. The name must say all that
   * decides what the function does, but for shapes of inputs and constants, versions of libraries, and values of constants.
   */
  readonly cache?: string;
};

/** A function of tensors that runs as one call of TensorFlow. Disposing of it frees its graph. */
export type CompiledFunction<I, O> = Disposable & ((inputs: I) => O);

/** What is used of tfjs's engine beyond its types. */
type Engine = {readonly state: {readonly gradientDepth: number}};

type Declared = {
  readonly specs: readonly TensorSpec[];
  readonly paths: readonly string[];
  /** Tensors that specifications were given as. */
  readonly examples: readonly (tf.Tensor | undefined)[];
};

/**
 * Compiles a function of tfjs operations for inputs of fixed shapes. On tfjs-node, it is recorded once, as a graph of TensorFlow, and then
 * each call is one call of that graph; on other backends, and on GPUs, each call runs the function.
 *
 * Gradients and optimizers may be part of the function. Variables are read and assigned at each call. All else that is not an input keeps
 * the value that it had when the function was compiled: other tensors, numbers, branches that JavaScript takes.
 *
 * @param fn Takes inputs and gives outputs as tensors in arrays and objects. It is called once, here, with the examples that `inputs`
 * holds, and zeros for the others.
 * @returns Takes and gives the same structures; the tensors that it gives are new ones, which belong to the caller.
 * @throws {TypeError} If the function reads values back to JavaScript, draws random numbers, uses shapes that depend on values, or
 * gives anything but tensors; the message names the operation.
 */
export function compile<I extends object, O extends object>(
  fn: (inputs: I) => O,
  {inputs, constants = {}, cache}: CompileOptions<I>,
): CompiledFunction<I, O> {
  const specs: TensorSpec[] = [];
  const paths: string[] = [];
  const examples: (tf.Tensor | undefined)[] = [];
  const template = flattenStructure<TensorSpec>(inputs, {
    isLeaf: isSpec,
    add: (spec, path) => {
      checkType(spec, path);
      specs.push({shape: spec.shape.slice(), dtype: spec.dtype ?? 'float32'});
      examples.push(spec instanceof tf.Tensor && !spec.isDisposed ? spec : undefined);
      paths.push(path);
    },
    expected: 'shapes and types of inputs',
  });
  const graph = openGraph(tensors => fn(buildStructure(template, tensors) as I), {
    // The compiled function is not to hold on to them.
    declared: {specs, paths, examples: examples.splice(0)},
    constants: flattenTensors(constants),
    cache,
  });
  const compiledFor = tf.getBackend();
  let disposed = false;
  const call = (given: I): O => {
    if (disposed) throw new Error('Cannot call a compiled function as it is disposed of: compile it again');
    if ((tf.engine() as unknown as Engine).state.gradientDepth > 0) {
      throw new Error(
        'Cannot call a compiled function inside a gradient as it has none: compile what takes the gradient',
      );
    }
    if (graph !== undefined && tf.getBackend() !== compiledFor) {
      throw new Error(
        `Cannot call a compiled function as the backend must be the one that it was compiled for, "${compiledFor}": it is "${tf.getBackend()}"`,
      );
    }
    const flat = flattenTensors(given);
    checkInputs(flat, {specs, paths});
    if (graph !== undefined) return graph.run(flat.tensors) as O;
    return tidy(() => {
      const results = flattenTensors(fn(given));
      // Copies of references: the caller may dispose of them, be they inputs or captured.
      return buildStructure(results.template, results.tensors.map(tf.clone)) as O;
    });
  };
  return Object.assign(call, {
    [Symbol.dispose]: () => {
      disposed = true;
      graph?.[Symbol.dispose]();
    },
  });
}

function openGraph(
  fn: (tensors: readonly tf.Tensor[]) => unknown,
  {declared, constants, cache}: {declared: Declared; constants: FlatTensors; cache: string | undefined},
): CompiledGraph | undefined {
  const backend = nativeBackend();
  if (backend === undefined) return undefined;
  const {specs, paths, examples} = declared;
  const {tensors} = constants;
  const recording = {backend, specs, examples, constants: tensors};
  if (cache === undefined) return CompiledGraph.record(fn, {...recording, portable: false}).graph;
  const key = cacheKey({
    name: cache,
    tensorflowVersion: backend.binding.TF_Version,
    inputs: specs,
    inputPaths: paths,
    constants: tensors,
    constantPaths: constants.paths,
  });
  const graphs = new GraphCache();
  const kept = graphs.read(key);
  if (kept !== undefined) return CompiledGraph.load(kept, {backend, inputs: specs.length, constants: tensors});
  const {graph, encoded} = CompiledGraph.record(fn, {...recording, portable: true});
  graphs.write(key, encoded);
  return graph;
}

function isSpec(value: unknown): value is TensorSpec {
  return typeof value === 'object' && value !== null && 'shape' in value && isShape(value.shape);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(length => Number.isSafeInteger(length) && length >= 0);
}

function checkType({dtype = 'float32'}: TensorSpec, path: string): void {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return;
  throw new TypeError(`Cannot compile as inputs must be of float32, int32 or bool: ${nameOf(path)} is of ${dtype}`);
}

function checkInputs({tensors, paths}: FlatTensors, declared: Omit<Declared, 'examples'>): void {
  const missing = declared.paths.find(path => !paths.includes(path));
  if (missing !== undefined) {
    throw new RangeError(`Cannot call a compiled function as it takes ${nameOf(missing)}: there is none`);
  }
  const extra = paths.find(path => !declared.paths.includes(path));
  if (extra !== undefined) {
    throw new RangeError(
      `Cannot call a compiled function as only declared inputs can be given: ${nameOf(extra)} is not`,
    );
  }
  for (const [index, {shape: expected, dtype: type}] of declared.specs.entries()) {
    const {shape, dtype, isDisposed} = tensors[index]!;
    const name = nameOf(declared.paths[index]!);
    if (isDisposed) throw new Error(`Cannot call a compiled function as ${name} must be there: it is disposed of`);
    if (dtype === type && tf.util.arraysEqual(shape, expected as number[])) continue;
    throw new RangeError(
      `Cannot call a compiled function as ${name} must be ${type} [${expected}]: it is ${dtype} [${shape}]`,
    );
  }
}

function nameOf(path: string): string {
  return path === '' ? 'its input' : `"${path}"`;
}
