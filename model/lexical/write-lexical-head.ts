import {type WriteSafetensorsOptions, writeSafetensors} from '../weights/write-safetensors.ts';
import type {LexicalHead} from './lexical-head.ts';

/**
 * Writes a lexical head as a safetensors file.
 *
 * @returns Bytes written.
 * @throws {ModelError} If the file cannot be written.
 */
export async function writeLexicalHead(
  path: string,
  {weights}: LexicalHead,
  options: Required<Pick<WriteSafetensorsOptions, 'floatType'>>,
): Promise<number> {
  const {vocabularySize, pairBuckets, projection, bias} = weights;
  const tensors = new Map([
    ['lexical.projection', {shape: [vocabularySize + pairBuckets, bias.length], data: projection}],
    ['lexical.bias', {shape: [bias.length], data: bias}],
  ]);
  const metadata = {vocabularySize: String(vocabularySize), pairBuckets: String(pairBuckets)};
  return await writeSafetensors(path, tensors, {...options, metadata});
}
