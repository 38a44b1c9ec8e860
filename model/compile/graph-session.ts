import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import type {NativeBackend} from './native-backend.ts';

/** A graph that TensorFlow has loaded; each run is one call of it. */
export class GraphSession implements Disposable {
  readonly #backend: NativeBackend;
  readonly #inputNames: string;
  #session: number | undefined;

  private constructor(backend: NativeBackend, session: number, inputNames: readonly string[]) {
    this.#backend = backend;
    this.#session = session;
    this.#inputNames = inputNames.join(',');
  }

  /** @param savedModel Bytes of a `saved_model.pb`. */
  static load(backend: NativeBackend, savedModel: Uint8Array, inputNames: readonly string[]): GraphSession {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-graph-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel);
      return new GraphSession(backend, backend.binding.loadSavedModel(folder, 'serve'), inputNames);
    } finally {
      rmSync(folder, {recursive: true});
    }
  }

  /**
   * @param outputNames Names of values joined by commas.
   * @returns New tensors; they belong to the caller.
   */
  run(inputs: readonly tf.Tensor[], outputNames: string): tf.Tensor[] {
    if (this.#session === undefined) throw new Error('Cannot run a compiled function as it is disposed of');
    const ids = this.#backend.getInputTensorIds(inputs);
    const outputs = this.#backend.binding.runSavedModel(this.#session, ids, this.#inputNames, outputNames);
    return outputs.map(output => this.#backend.createOutputTensor(output));
  }

  [Symbol.dispose](): void {
    if (this.#session !== undefined) this.#backend.binding.deleteSavedModel(this.#session);
    this.#session = undefined;
  }
}
