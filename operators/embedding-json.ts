import {NumericalError} from '../errors.ts';
import type {Embedding} from './embedding.ts';
import {shortestFloat32} from './shortest-float32.ts';

/**
 * An embedding as JSON: `{"id","embedding","dimension","tokens","segments","bitsPerByte","final","model":{"name","fingerprint"}}`, with
 * `"parts":{"lexical","sketch","transformer"}` behind `"dimension"` if a summary head made it.
 *
 * Numbers of the embedding read back as the same float32; `bitsPerByte` has 6 decimals.
 *
 * @throws {NumericalError} If a number is not finite.
 */
export function embeddingJson({id, vector, parts, tokens, segments, bitsPerByte, final, model}: Embedding): string {
  const numbers = new Array<string>(vector.length);
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index]!;
    if (!Number.isFinite(value)) refuse(id, {name: `embedding[${index}]`, value});
    numbers[index] = shortestFloat32(value);
  }
  for (const [name, value] of Object.entries({tokens, segments, bitsPerByte})) {
    if (!Number.isFinite(value)) refuse(id, {name, value});
  }
  const counts = JSON.stringify({
    dimension: vector.length,
    ...(parts && {parts}),
    tokens,
    segments,
    bitsPerByte: Number(bitsPerByte.toFixed(6)),
    final,
    model: {name: model.name, fingerprint: model.fingerprint},
  });
  return `{"id":${JSON.stringify(id)},"embedding":[${numbers.join()}],${counts.slice(1)}`;
}

function refuse(id: string, {name, value}: {name: string; value: number}): never {
  throw new NumericalError(`Cannot encode document "${id}" as ${name} must be finite: current value is ${value}`);
}
