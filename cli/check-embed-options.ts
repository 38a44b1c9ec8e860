import {relative} from 'node:path';
import {filePartition} from '../connectors/file-partition.ts';
import {realPath} from '../connectors/real-path.ts';
import {deadLetterPath} from './dead-letter-path.ts';
import {decodesLines} from './decodes-lines.ts';
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
  if (options.deadLetters !== undefined && !decodesLines(options)) {
    throw new RangeError(
      `Cannot use --dead-letters as the format must be jsonl, or lines with --id-field: current value is ${format}; nothing else is decoded`,
    );
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
async function checkOutputs({inputs, out, store, model, ...options}: EmbedOptions): Promise<void> {
  const files = new Map<string, string>();
  for (const input of inputs) if (input !== '-') files.set(await filePartition(input), 'an input');
  const folders = new Map([[realPath(model), 'the model']]);
  if (store !== 'memory') folders.set(realPath(store), 'the store');
  for (const [option, path] of [
    ['--dead-letters', deadLetterPath({...options, store})],
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
      if (relative(folder, realPath(path)).startsWith('..')) continue;
      throw new RangeError(
        `Cannot write to "${path}" as ${option} must lie elsewhere: it is in the folder of ${whose}`,
      );
    }
  }
}
