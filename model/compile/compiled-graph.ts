import * as tf from '@tensorflow/tfjs';
import {tidy} from '../tidy.ts';
import {buildStructure} from './build-structure.ts';
import {encodeSavedModel} from './encode-saved-model.ts';
import {flattenTensors} from './flatten-tensors.ts';
import {GraphRecorder} from './graph-recorder.ts';
import {GraphSession} from './graph-session.ts';
import type {NativeBackend} from './native-backend.ts';
import type {RecordedGraph} from './recorded-graph.ts';
import {RecordedVariables} from './recorded-variables.ts';
import type {StructureTemplate} from './structure-template.ts';
import type {TensorSpec} from './tensor-spec.ts';

/** A recorded function with its graph loaded in TensorFlow. */
export class CompiledGraph implements Disposable {
  readonly #session: GraphSession;
  readonly #graph: RecordedGraph;
  readonly #outputs: string;
  readonly #template: StructureTemplate;
  /** Variables by the positions of their inputs, which come after those declared. */
  readonly #variables: readonly tf.Variable[];
  /** Those that the last outputs are assigned to. */
  readonly #assigned: readonly tf.Variable[];

  private constructor(
    graph: RecordedGraph,
    {
      session,
      template,
      variables,
      assigned,
    }: {
      session: GraphSession;
      template: StructureTemplate;
      variables: readonly tf.Variable[];
      assigned: readonly tf.Variable[];
    },
  ) {
    this.#graph = graph;
    this.#session = session;
    this.#outputs = graph.outputs.join(',');
    this.#template = template;
    this.#variables = variables;
    this.#assigned = assigned;
  }

  static record(
    fn: (inputs: readonly tf.Tensor[]) => unknown,
    {backend, specs}: {backend: NativeBackend; specs: readonly TensorSpec[]},
  ): CompiledGraph {
    return tidy(() => {
      const recorder = new GraphRecorder(backend);
      const inputs = specs.map(({shape, dtype = 'float32'}) => tf.zeros(shape.slice(), dtype));
      for (const input of inputs) recorder.addInput(input);
      const variables = new RecordedVariables(recorder);
      try {
        const {template, assigned, results} = recorder.record(() =>
          variables.watch(() => {
            const tensors: tf.Tensor[] = [];
            const given = flattenTensors(fn(inputs), tensors);
            const changed = variables.assigned();
            // TensorFlow cannot give what it is given, nor the same value under two names.
            return {
              template: given,
              assigned: changed,
              results: [...tensors, ...changed].map(tensor => identity(tensor, backend)),
            };
          }),
        );
        const graph = recorder.graph(results);
        const inputNames = graph.inputs.map(({name}) => `${name}:0`);
        const session = GraphSession.load(backend, encodeSavedModel(graph, backend.binding), inputNames);
        return new CompiledGraph(graph, {session, template, variables: variables.all, assigned});
      } finally {
        variables.restore();
      }
    });
  }

  /** @returns The structure that the function gives. */
  run(inputs: readonly tf.Tensor[]): unknown {
    const all = [...inputs, ...this.#variables];
    const given = this.#graph.inputs.map(({position}) => all[position]!);
    const results = this.#session.run(given, this.#outputs);
    const values = results.splice(results.length - this.#assigned.length);
    for (const [index, variable] of this.#assigned.entries()) {
      variable.assign(values[index]!);
      values[index]!.dispose();
    }
    return buildStructure(this.#template, results);
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}

function identity(tensor: tf.Tensor, backend: NativeBackend): tf.Tensor {
  const {dtype} = backend.tensorMap.get(tensor.dataId);
  return backend.executeSingleOutput(
    'Identity',
    [{name: 'T', type: backend.binding.TF_ATTR_TYPE, value: dtype}],
    [tensor],
  );
}
