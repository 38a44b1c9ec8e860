import {Command, Option} from 'commander';
import {floatTypes} from './float-types.ts';
import type {ExportOptions} from './run-export.ts';

export type ExportCommandOptions = {
  /** Takes what is printed. @default process.stdout */
  readonly write?: (text: string) => void;
};

/** The command that copies a model with weights of another type. */
export function exportCommand({write = text => process.stdout.write(text)}: ExportCommandOptions = {}): Command {
  return new Command('export')
    .summary('Copy a model with its weights in half the bytes')
    .description(
      'Copies what a model needs to be used: config.json, model.safetensors, tokenizer and, where there is one, summary.safetensors. Weights of 16 bits take half the space; embeddings differ a little from those of the original, and a store belongs to one of the two.',
    )
    .argument('<dir>', 'folder to make')
    .requiredOption('-m, --model <folder>', 'model to copy, such as the best of a training run')
    .addOption(new Option('--dtype <type>', 'weights in the file').choices(Object.keys(floatTypes)).default('float16'))
    .option('--name <name>', 'name of the model (default: that of the folder)')
    .option('--force', 'replace a model that is there, summary head included')
    .addHelpText(
      'after',
      `
Examples:
  $ palimpsest export --model runs/books/best models/books
  $ palimpsest export --model runs/books/best --dtype float32 --name books-2026 models/books`,
    )
    .action(async (folder: string, options: ExportOptions) => {
      const {runExport} = await import('./run-export.ts');
      write(await runExport(folder, options));
    });
}
