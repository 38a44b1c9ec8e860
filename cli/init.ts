import {Command, Option} from 'commander';
import {compressorNames} from '../model/compressor-name.ts';
import {floatTypes} from './float-types.ts';
import {modelPresets} from './model-presets.ts';
import type {InitOptions} from './run-init.ts';
import {wholeNumber} from './whole-number.ts';

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
    .addOption(new Option('--preset <name>', 'sizes to start from').choices(Object.keys(modelPresets)).default('small'))
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
    .action(async (folder: string, options: InitOptions) => {
      const {runInit} = await import('./run-init.ts');
      write(await runInit(folder, options));
    });
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
