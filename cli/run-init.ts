import {basename, resolve} from 'node:path';
import type {CompressorName} from '../model/compressor-name.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {writeModelDirectory} from '../model/model-directory/write-model-directory.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {HuggingFaceTokenizer} from '../model/tokenizer/hugging-face-tokenizer.ts';
import {validateModelConfig} from '../model/validate-model-config.ts';
import {initialiseWeights} from '../model/weights/initialise-weights.ts';
import {countOf} from './count-of.ts';
import {floatTypes} from './float-types.ts';
import {modelPresets} from './model-presets.ts';

export type InitOptions = {
  readonly preset: keyof typeof modelPresets;
  readonly layers?: number;
  readonly heads?: number;
  readonly width?: number;
  readonly feedForward?: number;
  readonly segment?: number;
  readonly memory?: number;
  readonly compressedMemory?: number;
  readonly rate: number;
  readonly compressor: CompressorName;
  readonly tokenizer: string;
  readonly seed: number;
  readonly dtype: keyof typeof floatTypes;
  readonly name?: string;
  readonly force?: boolean;
};

/**
 * Makes an untrained model in a folder.
 *
 * @returns What to print.
 */
export async function runInit(folder: string, options: InitOptions): Promise<string> {
  const tokenizer =
    options.tokenizer === 'byte' ? new ByteTokenizer() : await HuggingFaceTokenizer.open(options.tokenizer);
  const preset = modelPresets[options.preset];
  const config: ModelConfig = {
    segmentLength: options.segment ?? preset.segmentLength,
    memoryLength: options.memory ?? preset.memoryLength,
    compressedMemoryLength: options.compressedMemory ?? preset.compressedMemoryLength,
    compressionRate: options.rate,
    compressor: options.compressor,
    layers: options.layers ?? preset.layers,
    heads: options.heads ?? preset.heads,
    modelWidth: options.width ?? preset.modelWidth,
    feedForwardWidth: options.feedForward ?? preset.feedForwardWidth,
    vocabularySize: tokenizer.vocabularySize,
  };
  validateModelConfig(config);
  const weights = initialiseWeights(config, options.seed);
  const length = await writeModelDirectory(folder, {
    name: options.name ?? basename(resolve(folder)),
    config,
    trained: false,
    weights,
    floatType: floatTypes[options.dtype],
    overwrite: options.force ?? false,
    ...(options.tokenizer === 'byte' ? {} : {tokenizerPath: options.tokenizer}),
  });
  const parameters = [...weights.values()].reduce((sum, {data}) => sum + data.length, 0);
  const {layers, modelWidth, heads, feedForwardWidth, vocabularySize} = config;
  const {segmentLength, memoryLength, compressedMemoryLength, compressionRate, compressor} = config;
  return `Made an untrained model in ${folder}
  network     ${countOf(layers, 'layer')}, width ${modelWidth}, ${countOf(heads, 'head')}, feed-forward ${feedForwardWidth}, vocabulary ${vocabularySize}
  memory      segments of ${segmentLength}, ${countOf(memoryLength, 'slot')}, ${compressedMemoryLength} compressed at rate ${compressionRate} (${compressor})
  parameters  ${parameters.toLocaleString('en')}
  file size   ${(length / 1e6).toFixed(1)} MB (${options.dtype})
Its weights are random: until it is trained, its embeddings mean little.
`;
}
