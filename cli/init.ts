import {basename, resolve} from 'node:path';
import {Command, Option} from 'commander';
import {type CompressorName, compressorNames} from '../model/compressor-name.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {writeModelDirectory} from '../model/model-directory/write-model-directory.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {HuggingFaceTokenizer} from '../model/tokenizer/hugging-face-tokenizer.ts';
import {validateModelConfig} from '../model/validate-model-config.ts';
import {initialiseWeights} from '../model/weights/initialise-weights.ts';
import {countOf} from './count-of.ts';
import {floatTypes} from './float-types.ts';
import {wholeNumber} from './whole-number.ts';

type Sizes = Omit<ModelConfig, 'vocabularySize' | 'compressor' | 'compressionRate'>;

const presets = {
  tiny: sizes({layers: 2, heads: 2, modelWidth: 64, feedForwardWidth: 256, length: 32}),
  small: {...sizes({layers: 6, heads: 4, modelWidth: 256, feedForwardWidth: 1024, length: 256}), segmentLength: 128},
  base: sizes({layers: 12, heads: 12, modelWidth: 768, feedForwardWidth: 3072, length: 512}),
} as const;

type InitOptions = {
  preset: keyof typeof presets;
  layers?: number;
  heads?: number;
  width?: number;
  feedForward?: number;
  segment?: number;
  memory?: number;
  compressedMemory?: number;
  rate: number;
  compressor: CompressorName;
  tokenizer: string;
  seed: number;
  dtype: keyof typeof floatTypes;
  name?: string;
  force?: boolean;
};

export type InitCommandOptions = {
  /** Takes what is printed. @default process.stdout */
  readonly write?: (text: string) => void;
};

/** The command that makes an untrained model. */
export function initCommand({write = text => process.stdout.write(text)}: InitCommandOptions = {}): Command {
  return new Command('init')
    .summary('Make an untrained model')
    .description(
      'Makes a folder with an untrained Compressive Transformer: config.json, model.safetensors and tokenizer.',
    )
    .argument('<dir>', 'folder to make')
    .addOption(new Option('--preset <name>', 'sizes to start from').choices(Object.keys(presets)).default('small'))
    .option('--layers <l>', 'layers', wholeNumber())
    .option('--heads <H>', 'attention heads', wholeNumber())
    .option('--width <d>', 'model width; even, and divisible by the heads', wholeNumber())
    .option('--feed-forward <f>', 'hidden width of the feed-forward blocks', wholeNumber())
    .option('--segment <n>', 'tokens read in one step', wholeNumber())
    .option('--memory <n_m>', 'slots of uncompressed memory', wholeNumber({least: 0}))
    .option(
      '--compressed-memory <n_cm>',
      'slots of compressed memory; 0 makes a Transformer-XL',
      wholeNumber({least: 0}),
    )
    .option('--rate <c>', 'rows that become one compressed slot', wholeNumber(), 4)
    .addOption(new Option('--compressor <name>', 'compression').choices(compressorNames).default('convolution'))
    .option('--tokenizer <kind>', '"byte", or the path of a tokenizer.json', 'byte')
    .option('--seed <number>', 'seed of the weights', wholeNumber({least: 0}), 1)
    .addOption(new Option('--dtype <type>', 'weights in the file').choices(Object.keys(floatTypes)).default('float32'))
    .option('--name <name>', 'name of the model (default: that of the folder)')
    .option('--force', 'replace a model that is there')
    .addHelpText('after', help)
    .action(async (folder: string, options: InitOptions) => write(await init(folder, options)));
}

async function init(folder: string, options: InitOptions): Promise<string> {
  const tokenizer =
    options.tokenizer === 'byte' ? new ByteTokenizer() : await HuggingFaceTokenizer.open(options.tokenizer);
  const preset = presets[options.preset];
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

function sizes({length, ...network}: Omit<Sizes, `${string}Length`> & {length: number}): Sizes {
  return {...network, segmentLength: length, memoryLength: length, compressedMemoryLength: length};
}

const help = `
Presets
  tiny   2 layers, width 64, 2 heads, feed-forward 256, segments and memories of 32
  small  6 layers, width 256, 4 heads, feed-forward 1024, segments of 128, memories of 256
  base   12 layers, width 768, 12 heads, feed-forward 3072, segments and memories of 512

Examples
  palimpsest init models/logs
  palimpsest init models/books --preset base --dtype bfloat16 --tokenizer tokenizer.json
  palimpsest init models/xl --memory 512 --compressed-memory 0
  palimpsest init models/logs --compressor most-used --seed 7 --force
`;
