import {basename, join, resolve} from 'node:path';
import {realPath} from '../connectors/real-path.ts';
import {modelDirectoryFiles} from '../model/model-directory/model-directory-files.ts';
import {readModelDirectory} from '../model/model-directory/read-model-directory.ts';
import {writeModelDirectory} from '../model/model-directory/write-model-directory.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {floatTypes} from './float-types.ts';

export type ExportOptions = {
  /** Folder of the model to copy. */
  readonly model: string;
  readonly dtype: keyof typeof floatTypes;
  readonly name?: string;
  readonly force?: boolean;
};

/**
 * Copies a model into a folder.
 *
 * @returns What to print.
 */
export async function runExport(folder: string, {model, dtype, name, force = false}: ExportOptions): Promise<string> {
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
