import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import {EngineUnavailableError} from '../../errors.ts';
import type {EncodedGraph} from './encoded-graph.ts';
import type {NativeBackend} from './native-backend.ts';

/** A graph that TensorFlow has loaded; each run is one call of it. */
export class GraphSession implements Disposable {
  readonly #backend: NativeBackend;
  readonly #inputNames: string;
  readonly #outputNames: string;
  #session: number | undefined;

  private constructor(backend: NativeBackend, session: number, {inputs, outputs}: EncodedGraph) {
    this.#backend = backend;
    this.#session = session;
    this.#inputNames = inputs.map(({name}) => name).join(',');
    this.#outputNames = outputs.join(',');
  }

  /**
   * @throws {TypeError} If TensorFlow refuses the graph.
   * @throws {EngineUnavailableError} If the folder for temporary files, through which it is given the graph, cannot be written.
   */
  static load(backend: NativeBackend, graph: EncodedGraph): GraphSession {
    const folder = writeTemporarily(graph.savedModel);
    try {
      return new GraphSession(backend, backend.binding.loadSavedModel(folder, 'serve'), graph);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TypeError(`Cannot compile as TensorFlow must be able to load the graph: ${reason}`, {cause: error});
    } finally {
      rmSync(folder, {recursive: true});
    }
  }

  /** @returns New tensors; they belong to the caller. */
  run(inputs: readonly tf.Tensor[]): tf.Tensor[] {
    if (this.#session === undefined) throw new Error('Cannot run a graph as it is disposed of');
    const ids = this.#backend.getInputTensorIds(inputs);
    const outputs = this.#backend.binding.runSavedModel(this.#session, ids, this.#inputNames, this.#outputNames);
    return outputs.map(output => this.#backend.createOutputTensor(output));
  }

  [Symbol.dispose](): void {
    if (this.#session !== undefined) this.#backend.binding.deleteSavedModel(this.#session);
    this.#session = undefined;
  }
}

/** @returns A new folder with a SavedModel in it. */
function writeTemporarily(savedModel: Uint8Array): string {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'palimpsest-graph-'));
    writeFileSync(join(folder, 'saved_model.pb'), savedModel);
    return folder;
  } catch (error) {
    if (folder !== undefined) rmSync(folder, {recursive: true});
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineUnavailableError(
      `Cannot compile as the folder for temporary files must have room for a graph: ${reason}; set TMPDIR to a folder that can be written`,
      {cause: error},
    );
  }
}
