import {basename, join, resolve} from 'node:path';
import {Command, Option} from 'commander';
import {realPath} from '../connectors/real-path.ts';
import {modelDirectoryFiles} from '../model/model-directory/model-directory-files.ts';
import {readModelDirectory} from '../model/model-directory/read-model-directory.ts';
import {writeModelDirectory} from '../model/model-directory/write-model-directory.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {floatTypes} from './float-types.ts';

type ExportOptions = {
  model: string;
  dtype: keyof typeof floatTypes;
  name?: string;
  force?: boolean;
};

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
    .action(async (folder: string, options: ExportOptions) => write(await exportModel(folder, options)));
}

async function exportModel(folder: string, {model, dtype, name, force = false}: ExportOptions): Promise<string> {
  if (realPath(folder) === realPath(model)) {
    throw new RangeError(
      `Cannot export as the folder must be another than that of the model: current value is "${folder}"`,
    );
  }
  const {config, trained, weights, tokenizer, summary} = await readModelDirectory(model);
  const bytes = await writeModelDirectory(folder, {
    name: name ?? basename(resolve(folder)),
    config,
    trained,
    weights,
    floatType: floatTypes[dtype],
    overwrite: force,
    ...(tokenizer instanceof ByteTokenizer ? {} : {tokenizerPath: join(model, modelDirectoryFiles.tokenizer)}),
    ...(summary && {summaryPath: join(model, modelDirectoryFiles.summary)}),
  });
  return `Exported "${model}" to "${folder}": ${(bytes / 1e6).toFixed(1)} MB (${dtype})${summary ? ', with its summary head' : ''}\n`;
}
