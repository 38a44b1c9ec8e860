import type {EngineName} from './engine/engine.ts';
import {readModelDirectory} from './model-directory/read-model-directory.ts';
import type {Tokenizer} from './tokenizer/tokenizer.ts';
import {ModelWorker} from './worker/model-worker.ts';

export type OpenModelOptions = {
  /** @default 'auto' */
  readonly engine?: EngineName | 'auto';
};

/** A model folder that is ready to read with. */
export type OpenedModel = {
  readonly model: ModelWorker;
  readonly tokenizer: Tokenizer;
  /** Whether its weights were trained; embeddings of untrained ones mean little. */
  readonly trained: boolean;
};

/**
 * Opens a model folder (`config.json`, `model.safetensors`, `tokenizer.json`) in a worker thread. The model is the caller's to dispose of.
 *
 * @throws {ModelError} If a file is missing, damaged or does not fit the others.
 * @throws {EngineUnavailableError} If the engine cannot be used here; the message says how to get it.
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  const {tokenizer, trained, ...model} = await readModelDirectory(path);
  return {model: await ModelWorker.start(model, options), tokenizer, trained};
}
