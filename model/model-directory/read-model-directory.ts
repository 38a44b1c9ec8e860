import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {ModelError} from '../../errors.ts';
import type {TensorData} from '../memory-snapshot.ts';
import type {ModelConfig} from '../model-config.ts';
import {readJsonFile} from '../read-json-file.ts';
import {readSummaryHead} from '../summary/read-summary-head.ts';
import type {SummaryHead} from '../summary/summary-head.ts';
import {ByteTokenizer} from '../tokenizer/byte-tokenizer.ts';
import {HuggingFaceTokenizer} from '../tokenizer/hugging-face-tokenizer.ts';
import type {Tokenizer} from '../tokenizer/tokenizer.ts';
import {readSafetensors} from '../weights/read-safetensors.ts';
import type {StoredTensor} from '../weights/tensor-type.ts';
import {widenToFloat32} from '../weights/widen-to-float32.ts';
import {checkWeights} from './check-weights.ts';
import type {ModelDescription} from './model-config-file.ts';
import {modelDirectoryFiles} from './model-directory-files.ts';
import {fingerprintWithHead, modelFingerprint} from './model-fingerprint.ts';
import {parseModelConfigFile} from './parse-model-config-file.ts';

/** Everything that makes a model, in memory. */
export type ModelDirectory = ModelDescription & {
  readonly tokenizer: Tokenizer;
  /** By the names of `docs/model.md`, as float32 whatever the type in the file. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /** What makes a document's vector, where one was trained; without it, the vector is the mean of final hidden vectors. */
  readonly summary: SummaryHead | undefined;
  /** Digest of configuration, tokenizer, weights and summary head. */
  readonly fingerprint: string;
};

export type ReadModelDirectoryOptions = {
  /** Whether to read the model as if it had no summary head. @default false */
  readonly withoutSummary?: boolean;
};

/**
 * Reads a folder with `config.json`, `model.safetensors`, unless it is a byte model `tokenizer.json`, and where there is one
 * `summary.safetensors`.
 *
 * @throws {ModelError} If a file is missing or damaged, or the files do not belong together; says which and what to do.
 */
export async function readModelDirectory(
  path: string,
  {withoutSummary = false}: ReadModelDirectoryOptions = {},
): Promise<ModelDirectory> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new ModelError(
      `Cannot read model "${path}" as it must be a folder: current value is ${found === undefined ? 'missing' : 'a file'}; make a model with "palimpsest init"`,
    );
  }
  const configPath = join(path, modelDirectoryFiles.config);
  const json = await readJsonFile(configPath, {
    advice: 'it is no model, or one that was not written to the end: make it again with "palimpsest init --force"',
  });
  const {name, config, trained, tokenizer: kind} = parseModelConfigFile(json, {path: configPath});

  const tokenizerPath = join(path, modelDirectoryFiles.tokenizer);
  const tokenizer = kind === 'byte' ? new ByteTokenizer() : await HuggingFaceTokenizer.open(tokenizerPath);
  if (tokenizer.vocabularySize > config.vocabularySize) {
    throw new ModelError(
      `Cannot read model "${path}" as vocab_size must be at least the ${tokenizer.vocabularySize} tokens of its tokenizer: current value is ${config.vocabularySize}; take the tokenizer of the same model`,
    );
  }

  const weightsPath = join(path, modelDirectoryFiles.weights);
  const {tensors} = await readSafetensors(weightsPath);
  checkWeights(tensors, {path: weightsPath, config});
  const weights = new Map<string, TensorData>();
  for (const [tensor, stored] of tensors) {
    weights.set(tensor, {shape: stored.shape, data: finiteFloats(stored, {tensor, path: weightsPath})});
  }
  const model = {name, config, trained, tokenizer, weights};
  const fingerprint = modelFingerprint({config, tokenizerFingerprint: tokenizer.fingerprint, tensors});
  const summaryPath = join(path, modelDirectoryFiles.summary);
  if (withoutSummary || !(await exists(summaryPath))) return {...model, summary: undefined, fingerprint};
  const stored = await readSummaryHead(summaryPath);
  if (stored.model !== fingerprint) {
    throw new ModelError(
      `Cannot use "${summaryPath}" as it must have been trained with model ${fingerprint}: current value is ${stored.model}; train it again with "palimpsest summary train", or remove it`,
    );
  }
  checkSizes(stored.head, {path: summaryPath, config});
  return {...model, summary: stored.head, fingerprint: fingerprintWithHead(fingerprint, stored)};
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function finiteFloats(stored: StoredTensor, {tensor, path}: {tensor: string; path: string}): Float32Array {
  const data = widenToFloat32(stored);
  if (data === undefined) {
    throw new ModelError(
      `Cannot use "${path}" as weight "${tensor}" must be F32, F16 or BF16: current value is ${stored.type}; convert the file`,
    );
  }
  const wrong = data.findIndex(value => !Number.isFinite(value));
  if (wrong !== -1) {
    throw new ModelError(
      `Cannot use "${path}" as weight "${tensor}" must be finite: current value is ${data[wrong]} at ${wrong}; train or fetch the model again`,
    );
  }
  return data;
}

function checkSizes(head: SummaryHead, {path, config}: {readonly path: string; readonly config: ModelConfig}): void {
  const {vocabularySize, modelWidth, layers, compressedMemoryLength} = config;
  const {width, mean} = head.transformer.weights;
  const fail = (rule: string, current: string): ModelError =>
    new ModelError(
      `Cannot use "${path}" as it must be made for ${rule}: ${current}; train it again with "palimpsest summary train"`,
    );
  if (head.sizes.vocabularySize !== vocabularySize || width !== modelWidth) {
    throw fail(
      `${vocabularySize} tokens and a width of ${modelWidth}`,
      `current values are ${head.sizes.vocabularySize} and ${width}`,
    );
  }
  // Trained on excerpts too short to be compressed, it knows hidden vectors only.
  const features = (1 + (compressedMemoryLength > 0 ? layers : 0)) * width;
  if (mean.length !== features && mean.length !== width)
    throw fail(`${features} features`, `current value is ${mean.length}`);
}
