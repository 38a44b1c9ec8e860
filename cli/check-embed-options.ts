import {filePartition} from '../connectors/file-partition.ts';
import type {EmbedOptions} from './run-embed.ts';

/**
 * Checks what options of `palimpsest embed` mean for one another.
 *
 * @param options.inputs The files that patterns stand for.
 * @throws {RangeError} If one does not go with another.
 */
export async function checkEmbedOptions({
  format,
  idField,
  textField,
  store,
  resume,
  out,
  deadLetters,
  inputs,
}: EmbedOptions): Promise<void> {
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
  const files = new Map<string, string>();
  for (const input of inputs) if (input !== '-') files.set(await filePartition(input), 'an input');
  for (const [option, path] of [
    ['--dead-letters', deadLetters],
    ['--out', out === '-' ? undefined : out],
  ] as const) {
    if (path === undefined) continue;
    const partition = await filePartition(path);
    const other = files.get(partition);
    if (other !== undefined) {
      throw new RangeError(`Cannot write to "${path}" as ${option} must be another file: it is ${other}`);
    }
    files.set(partition, `that of ${option}`);
  }
}
