import {tf} from '../tf.ts';
import {tidy} from '../tidy.ts';
import {buildStructure} from './build-structure.ts';
import {encodeSavedModel} from './encode-saved-model.ts';
import type {EncodedGraph} from './encoded-graph.ts';
import {flattenTensors} from './flatten-tensors.ts';
import {GraphRecorder} from './graph-recorder.ts';
import {GraphSession} from './graph-session.ts';
import type {NativeBackend} from './native-backend.ts';
import {RecordedVariables} from './recorded-variables.ts';
import type {StructureTemplate} from './structure-template.ts';
import type {TensorSpec} from './tensor-spec.ts';

export type RecordOptions = {
  readonly backend: NativeBackend;
  readonly specs: readonly TensorSpec[];
  /** Tensors whose values the function is called with; zeros where there is none. */
  readonly examples: readonly (tf.Tensor | undefined)[];
  /** Declared constants. */
  readonly constants: readonly tf.Tensor[];
  /** Whether the graph must stand on its own: it then holds all that it captures, and uses no variables. */
  readonly portable: boolean;
};

export type LoadOptions = {
  readonly backend: NativeBackend;
  /** How many inputs are declared. */
  readonly inputs: number;
  readonly constants: readonly tf.Tensor[];
};

/** A recorded function with its graph loaded in TensorFlow. */
export class CompiledGraph implements Disposable {
  /** Positions of inputs, in the graph's order. */
  readonly #positions: readonly number[];
  readonly #template: StructureTemplate;
  readonly #session: GraphSession;
  /** What is given to the graph, in the order of its inputs; `undefined` for inputs of the call. */
  readonly #sources: readonly (tf.Tensor | undefined)[];
  /** Those that the last outputs are assigned to. */
  readonly #assigned: readonly tf.Variable[];

  private constructor(
    encoded: EncodedGraph,
    {
      session,
      sources,
      assigned,
    }: {session: GraphSession; sources: readonly (tf.Tensor | undefined)[]; assigned: readonly tf.Variable[]},
  ) {
    this.#positions = encoded.inputs.map(({position}) => position);
    this.#template = encoded.template;
    this.#session = session;
    this.#sources = sources;
    this.#assigned = assigned;
  }

  /**
   * Calls a function with examples, or zeros, and loads what it did as a graph.
   *
   * @returns The bytes of the graph as well, which running it does not take.
   */
  static record(
    fn: (inputs: readonly tf.Tensor[]) => unknown,
    {backend, specs, examples, constants, portable}: RecordOptions,
  ): {readonly graph: CompiledGraph; readonly encoded: EncodedGraph} {
    return tidy(() => {
      const recorder = new GraphRecorder(backend, {holds: !portable});
      // One tensor may be the example of several inputs.
      const inputs = specs.map(({shape, dtype = 'float32'}, index) => {
        const example = examples[index];
        return example === undefined ? tf.zeros(shape.slice(), dtype) : recorder.copy(example);
      });
      for (const input of inputs) recorder.addInput(input);
      // A graph that is not kept is of these constants alone: it captures them, and what depends on no more than them.
      if (portable) for (const constant of constants) recorder.addInput(constant, tf.keep(tf.clone(constant)));
      const variables = new RecordedVariables(recorder);
      const used = new Set<tf.Tensor | undefined>();
      try {
        const {template, assigned, results} = recorder.record(() =>
          variables.watch(() => {
            const given = fn(inputs);
            // Nobody waits for it.
            if (given instanceof Promise) given.catch(() => {});
            const {template, tensors} = flattenTensors(given);
            const assigned = variables.assigned();
            return {template, assigned, results: [...tensors, ...assigned]};
          }),
        );
        if (results.length === 0)
          throw new TypeError('Cannot compile as the function must give a tensor: it gives none');
        const graph = recorder.graph(results);
        const sources = graph.inputs.map(({position}) => recorder.sources[position]);
        if (portable && (assigned.length > 0 || sources.some(source => source instanceof tf.Variable))) {
          throw new TypeError('Cannot compile with a cache as the function uses variables: leave out "cache"');
        }
        const encoded = {
          savedModel: encodeSavedModel(graph, backend.binding),
          inputs: graph.inputs.map(({name, position}) => ({name: `${name}:0`, position})),
          outputs: graph.outputs,
          template,
        };
        const session = GraphSession.load(backend, encoded);
        for (const source of sources) used.add(source);
        return {graph: new CompiledGraph(encoded, {session, sources, assigned}), encoded};
      } finally {
        variables.restore();
        disposeKept(recorder.sources.filter(source => !used.has(source)));
      }
    });
  }

  /** Loads a portable graph that was recorded before. */
  static load(encoded: EncodedGraph, {backend, inputs, constants}: LoadOptions): CompiledGraph {
    const session = GraphSession.load(backend, encoded);
    const sources = encoded.inputs.map(({position}) =>
      position < inputs ? undefined : tf.keep(tf.clone(constants[position - inputs]!)),
    );
    return new CompiledGraph(encoded, {session, sources, assigned: []});
  }

  /** @returns The structure that the function gives. */
  run(inputs: readonly tf.Tensor[]): unknown {
    const given = this.#positions.map((position, index) => this.#sources[index] ?? inputs[position]!);
    const gone = this.#sources.find(source => source?.isDisposed);
    if (gone !== undefined) {
      const name = (gone as tf.Variable).name;
      throw new Error(`Cannot call a compiled function as its variables must be there: "${name}" is disposed of`);
    }
    const results = this.#session.run(given);
    const values = results.splice(results.length - this.#assigned.length);
    for (const [index, variable] of this.#assigned.entries()) {
      variable.assign(values[index]!);
      values[index]!.dispose();
    }
    return buildStructure(this.#template, results);
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
    disposeKept(this.#sources);
  }
}

/** Variables are their owner's. */
function disposeKept(sources: readonly (tf.Tensor | undefined)[]): void {
  for (const source of sources) if (source !== undefined && !(source instanceof tf.Variable)) source.dispose();
}
