import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {ModelError} from '../../errors.ts';
import type {TensorData} from '../memory-snapshot.ts';
import {readJsonFile} from '../read-json-file.ts';
import {ByteTokenizer} from '../tokenizer/byte-tokenizer.ts';
import {HuggingFaceTokenizer} from '../tokenizer/hugging-face-tokenizer.ts';
import type {Tokenizer} from '../tokenizer/tokenizer.ts';
import {readSafetensors} from '../weights/read-safetensors.ts';
import type {StoredTensor} from '../weights/tensor-type.ts';
import {widenToFloat32} from '../weights/widen-to-float32.ts';
import {checkWeights} from './check-weights.ts';
import type {ModelDescription} from './model-config-file.ts';
import {modelDirectoryFiles} from './model-directory-files.ts';
import {modelFingerprint} from './model-fingerprint.ts';
import {parseModelConfigFile} from './parse-model-config-file.ts';

/** Everything that makes a model, in memory. */
export type ModelDirectory = ModelDescription & {
  readonly tokenizer: Tokenizer;
  /** By the names of `docs/model.md`, as float32 whatever the type in the file. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /** Digest of configuration, tokenizer and weights. */
  readonly fingerprint: string;
};

/**
 * Reads a folder with `config.json`, `model.safetensors` and, unless it is a byte model, `tokenizer.json`.
 *
 * @throws {ModelError} If a file is missing or damaged, or the files do not belong together; says which and what to do.
 */
export async function readModelDirectory(path: string): Promise<ModelDirectory> {
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
  const fingerprint = modelFingerprint({config, tokenizerFingerprint: tokenizer.fingerprint, tensors});
  return {name, config, trained, tokenizer, weights, fingerprint};
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
