import {type ReadModelDirectoryOptions, readModelDirectory} from './model-directory/read-model-directory.ts';
import type {PrecisionChoice} from './precision.ts';
import type {Tokenizer} from './tokenizer/tokenizer.ts';
import {ModelWorker, type ModelWorkerOptions} from './worker/model-worker.ts';

export type OpenModelOptions = ModelWorkerOptions &
  ReadModelDirectoryOptions & {
    /** Whether steps are compiled where the engine can; their results differ in the last bits from those that are not. @default true */
    readonly compile?: boolean;
    /** How matrix products multiply. @default 'float32' */
    readonly precision?: PrecisionChoice;
  };

/** A model folder that is ready to read with. */
export type OpenedModel = {
  readonly model: ModelWorker;
  readonly tokenizer: Tokenizer;
  /** Whether its weights were trained; embeddings of untrained ones mean little. */
  readonly trained: boolean;
};

/**
 * Opens a model folder (`config.json`, `model.safetensors`, `tokenizer.json`, `summary.safetensors`) in a worker thread. The model is the caller's to dispose of.
 *
 * @throws {ModelError} If a file is missing, damaged or does not fit the others.
 * @throws {EngineUnavailableError} If the engine cannot be used here; the message says how to get it.
 * @throws {RangeError} If `threads` is not a positive integer.
 */
export async function openModel(
  path: string,
  {compile = true, precision = 'float32', withoutSummary = false, ...options}: OpenModelOptions = {},
): Promise<OpenedModel> {
  const {tokenizer, trained, ...model} = await readModelDirectory(path, {withoutSummary});
  return {model: await ModelWorker.start({...model, compile, precision}, options), tokenizer, trained};
}
