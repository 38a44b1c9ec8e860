import {mkdir, readdir, readFile, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {ModelError} from '../../errors.ts';
import type {TensorData} from '../memory-snapshot.ts';
import {readSummaryHead} from '../summary/read-summary-head.ts';
import {writeSummaryHead} from '../summary/write-summary-head.ts';
import {ByteTokenizer} from '../tokenizer/byte-tokenizer.ts';
import {HuggingFaceTokenizer} from '../tokenizer/hugging-face-tokenizer.ts';
import {validateModelConfig} from '../validate-model-config.ts';
import {readSafetensors} from '../weights/read-safetensors.ts';
import {writeFileAtomically} from '../weights/write-file-atomically.ts';
import {writeSafetensors} from '../weights/write-safetensors.ts';
import {checkWeights} from './check-weights.ts';
import {formatModelConfigFile} from './format-model-config-file.ts';
import type {ModelDescription} from './model-config-file.ts';
import {modelDirectoryFiles} from './model-directory-files.ts';
import {modelFingerprint} from './model-fingerprint.ts';

export type WriteModelDirectoryOptions = ModelDescription & {
  /** By the names of `docs/model.md`. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /** A `tokenizer.json` to copy, with the `tokenizer_config.json` beside it. @default the byte tokenizer */
  readonly tokenizerPath?: string;
  /**
   * A `summary.safetensors` to copy, of a head that was trained with these weights before they were rounded to `floatType`; the copy
   * belongs to the model that is written. @default no summary head
   */
  readonly summaryPath?: string;
  /** Type of the weights in the file. @default 'F32' */
  readonly floatType?: 'F32' | 'F16' | 'BF16';
  /** Whether a model that is there may be replaced. @default false */
  readonly overwrite?: boolean;
};

/**
 * Writes a folder that {@link readModelDirectory} reads. `config.json` comes last and goes first, so that a folder that was
 * not written to the end is never taken for a model.
 *
 * @returns Bytes of the weights' file.
 * @throws {RangeError | TypeError} If the configuration is refused.
 * @throws {ModelError} If the parts do not belong together, the folder holds a model already, or cannot be written.
 */
export async function writeModelDirectory(path: string, options: WriteModelDirectoryOptions): Promise<number> {
  const {name, config, trained, weights, tokenizerPath, summaryPath, floatType = 'F32', overwrite = false} = options;
  validateModelConfig(config);
  checkWeights(weights, {path, config});
  if (tokenizerPath === undefined && config.vocabularySize < 256) {
    throw new ModelError(
      `Cannot write model "${path}" as vocabularySize must be at least 256 for the byte tokenizer: current value is ${config.vocabularySize}`,
    );
  }
  const {files, tokenizerFingerprint} = await readTokenizer(tokenizerPath, config.vocabularySize);
  const head = summaryPath === undefined ? undefined : await readSummaryHead(summaryPath);
  const {config: configName, weights: weightsName, tokenizer, tokenizerConfig, summary} = modelDirectoryFiles;
  const description = formatModelConfigFile(
    {name, config, trained},
    {tokenizer: tokenizerPath === undefined ? 'byte' : undefined},
  );

  try {
    await mkdir(path, {recursive: true});
    const present = new Set(await readdir(path));
    const taken = [configName, weightsName, tokenizer].find(file => present.has(file));
    if (taken !== undefined && !overwrite) {
      throw new ModelError(
        `Cannot write model "${path}" as the folder must not hold one: current value is "${taken}"; choose another folder, or overwrite it`,
      );
    }
    // A summary head belongs to the weights that it was trained with.
    for (const file of [configName, tokenizer, tokenizerConfig, summary]) await rm(join(path, file), {force: true});
    const weightsPath = join(path, weightsName);
    const length = await writeSafetensors(weightsPath, weights, {metadata: {format: 'pt'}, floatType});
    for (const [file, content] of files) await writeFileAtomically(join(path, file), [content]);
    if (head !== undefined) {
      const {tensors} = await readSafetensors(weightsPath);
      await writeSummaryHead(join(path, summary), head.head, {
        model: modelFingerprint({config, tokenizerFingerprint, tensors}),
        floatType: [...head.tensors.values()].every(({type}) => type === 'F16') ? 'F16' : 'F32',
      });
    }
    await writeFileAtomically(join(path, configName), [Buffer.from(description)]);
    return length;
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`Cannot write model "${path}" as ${(error as Error).message}`, {cause: error});
  }
}

type TokenizerFiles = {
  readonly files: readonly (readonly [name: string, content: Uint8Array])[];
  readonly tokenizerFingerprint: string;
};

/** The tokenizer's files, read before anything is written: they may lie in the folder itself. */
async function readTokenizer(path: string | undefined, vocabularySize: number): Promise<TokenizerFiles> {
  if (path === undefined) return {files: [], tokenizerFingerprint: new ByteTokenizer().fingerprint};
  const tokenizer = await HuggingFaceTokenizer.open(path);
  if (tokenizer.vocabularySize > vocabularySize) {
    throw new ModelError(
      `Cannot write a model with "${path}" as vocabularySize must be at least its ${tokenizer.vocabularySize} tokens: current value is ${vocabularySize}`,
    );
  }
  const configPath = join(dirname(path), modelDirectoryFiles.tokenizerConfig);
  const config = await readFile(configPath).catch(() => undefined);
  return {
    files: [
      [modelDirectoryFiles.tokenizer, await readFile(path)],
      ...(config === undefined ? [] : [[modelDirectoryFiles.tokenizerConfig, config] as const]),
    ],
    tokenizerFingerprint: tokenizer.fingerprint,
  };
}
