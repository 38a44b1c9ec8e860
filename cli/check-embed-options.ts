import {realpath} from 'node:fs/promises';
import {basename, dirname, join, relative, resolve} from 'node:path';
import {filePartition} from '../connectors/file-partition.ts';
import {deadLetterPath} from './dead-letter-path.ts';
import type {EmbedOptions} from './run-embed.ts';

/**
 * Checks what options of `palimpsest embed` mean for one another.
 *
 * @param options.inputs The files that patterns stand for.
 * @throws {RangeError} If one does not go with another.
 */
export async function checkEmbedOptions(options: EmbedOptions): Promise<void> {
  const {format, idField, textField, store, resume} = options;
  if (textField !== undefined && format !== 'jsonl') {
    throw new RangeError(`Cannot use --text-field as the format must be jsonl: current value is ${format}`);
  }
  if (idField !== undefined && format === 'text') {
    throw new RangeError('Cannot use --id-field as the format must be jsonl or lines: current value is text');
  }
  if (store === '') throw new RangeError('Cannot keep memories as --store must name a folder: current value is ""');
  if (resume && store === 'memory') {
    throw new RangeError(
      'Cannot use --resume as --store must be a folder: current value is "memory", which keeps none',
    );
  }
  await checkOutputs(options);
}

/** Outputs begin anew, so none may be what is read, nor lie where the memories or the model do. */
async function checkOutputs({inputs, out, deadLetters, store, model}: EmbedOptions): Promise<void> {
  const files = new Map<string, string>();
  for (const input of inputs) if (input !== '-') files.set(await filePartition(input), 'an input');
  const folders = new Map([[await realPath(model), 'the model']]);
  if (store !== 'memory') folders.set(await realPath(store), 'the store');
  for (const [option, path] of [
    ['--dead-letters', deadLetterPath({deadLetters, store})],
    ['--out', out === '-' ? undefined : out],
  ] as const) {
    if (path === undefined) continue;
    const partition = await filePartition(path);
    const other = files.get(partition);
    if (other !== undefined) {
      throw new RangeError(`Cannot write to "${path}" as ${option} must be another file: it is ${other}`);
    }
    files.set(partition, `that of ${option}`);
    for (const [folder, whose] of folders) {
      if (relative(folder, await realPath(path)).startsWith('..')) continue;
      throw new RangeError(
        `Cannot write to "${path}" as ${option} must lie elsewhere: it is in the folder of ${whose}`,
      );
    }
  }
}

/** A path without links, as far as it exists. */
async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(await realPath(parent), basename(whole));
  }
}
