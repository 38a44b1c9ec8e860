import {ModelError} from '../../errors.ts';
import {LexicalHead} from '../lexical/lexical-head.ts';
import {LexicalSketch} from '../lexical/lexical-sketch.ts';
import {readSafetensors} from '../weights/read-safetensors.ts';
import type {StoredTensor} from '../weights/tensor-type.ts';
import {widenToFloat32} from '../weights/widen-to-float32.ts';
import {SummaryHead, type SummaryParts, summaryPartNames} from './summary-head.ts';
import {TransformerHead} from './transformer-head.ts';

/** A summary head, and which model it belongs to. */
export type StoredSummaryHead = {
  readonly head: SummaryHead;
  /** Fingerprint that the model has without a head. */
  readonly model: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
};

/**
 * Reads a summary head from a safetensors file.
 *
 * @throws {ModelError} If the file cannot be read, or is not one of a summary head.
 */
export async function readSummaryHead(path: string): Promise<StoredSummaryHead> {
  const {tensors, metadata} = await readSafetensors(path);
  const fail = (rule: string, current: unknown): ModelError =>
    new ModelError(
      `Cannot use "${path}" as ${rule}: current value is ${current}; train one with "palimpsest summary train"`,
    );
  /** A tensor of so many rows; any number of them if that is not said. */
  const read = (name: string, shape: readonly (number | undefined)[]): StoredTensor & {data: Float32Array} => {
    const tensor = tensors.get(name);
    const data = tensor && widenToFloat32(tensor);
    const wanted = shape.map(size => size ?? 'any').join(', ');
    if (tensor === undefined || data === undefined) throw fail(`it must hold floats "${name}" [${wanted}]`, 'missing');
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== (shape[i] ?? size)))
      throw fail(`"${name}" must have shape [${wanted}]`, `[${tensor.shape}]`);
    const wrong = data.find(value => !Number.isFinite(value));
    if (wrong !== undefined) throw fail(`"${name}" must be finite`, wrong);
    return {...tensor, type: 'F32', data};
  };
  const number = (name: string): number => {
    const text = metadata.get(name);
    if (text === undefined || text === '' || !Number.isFinite(Number(text)))
      throw fail(`its metadata must give a number for "${name}"`, JSON.stringify(text));
    return Number(text);
  };
  const model = metadata.get('model');
  if (model === undefined) throw fail('its metadata must name the "model" that it was trained with', 'missing');
  const bias = read('lexical.bias', [undefined]);
  const mean = read('transformer.mean', [undefined]);
  const shares = Object.fromEntries(summaryPartNames.map(name => [name, number(`share.${name}`)]));
  try {
    const head = new SummaryHead({
      lexical: new LexicalHead({
        projection: read('lexical.projection', [undefined, bias.data.length]).data,
        bias: bias.data,
      }),
      sketch: new LexicalSketch({
        vocabularySize: number('vocabularySize'),
        pairBuckets: number('pairBuckets'),
        inverseFrequencies: read('sketch.inverse_frequencies', [undefined]).data,
        dimension: number('sketch.dimension'),
      }),
      transformer: new TransformerHead({
        width: number('transformer.width'),
        mean: mean.data,
        projection: read('transformer.projection', [mean.data.length, undefined]).data,
      }),
      shares: shares as SummaryParts,
    });
    return {head, model, tensors};
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError(`Cannot use "${path}" as its sizes must fit: ${error.message}`, {cause: error});
  }
}
