import {ModelError} from '../../errors.ts';
import {readSafetensors} from '../weights/read-safetensors.ts';
import {widenToFloat32} from '../weights/widen-to-float32.ts';
import {LexicalHead} from './lexical-head.ts';

/**
 * Reads a lexical head from a safetensors file.
 *
 * @throws {ModelError} If the file cannot be read, or is not one of a lexical head.
 */
export async function readLexicalHead(path: string): Promise<LexicalHead> {
  const {tensors, metadata} = await readSafetensors(path);
  const read = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    const values = tensor && widenToFloat32(tensor);
    if (values === undefined)
      throw new ModelError(
        `Cannot use "${path}" as a lexical head must hold floats "${name}"; train one with "palimpsest lexical train"`,
      );
    return values;
  };
  try {
    return new LexicalHead({
      vocabularySize: Number(metadata.get('vocabularySize')),
      pairBuckets: Number(metadata.get('pairBuckets')),
      projection: read('lexical.projection'),
      bias: read('lexical.bias'),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError(`Cannot use "${path}" as its sizes must fit: ${error.message}`, {cause: error});
  }
}
