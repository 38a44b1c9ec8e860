import {TransformStream} from 'node:stream/web';
import {NumericalError} from '../errors.ts';
import {Checkpoint, type Element, type StreamRecord} from '../pipeline/index.ts';
import type {Embedding} from './embedding.ts';
import {shortestFloat32} from './shortest-float32.ts';

/**
 * Writes each embedding as one line of JSON:
 * `{"id","embedding","dimension","tokens","segments","bitsPerByte","final","model":{"name","fingerprint"}}`.
 *
 * Numbers of the embedding read back as the same float32; `bitsPerByte` has 6 decimals. The stream errors with a
 * {@link NumericalError} at a number that is not finite.
 */
export class EncodeStream extends TransformStream<Element<StreamRecord<Embedding>>, Element<StreamRecord<Uint8Array>>> {
  constructor() {
    const utf8 = new TextEncoder();
    super({
      transform(element, controller) {
        if (element instanceof Checkpoint) controller.enqueue(element);
        else controller.enqueue({...element, value: utf8.encode(line(element.value))});
      },
    });
  }
}

function line({id, vector, tokens, segments, bitsPerByte, final, model}: Embedding): string {
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
    tokens,
    segments,
    bitsPerByte: Number(bitsPerByte.toFixed(6)),
    final,
    model: {name: model.name, fingerprint: model.fingerprint},
  });
  return `{"id":${JSON.stringify(id)},"embedding":[${numbers.join()}],${counts.slice(1)}\n`;
}

function refuse(id: string, {name, value}: {name: string; value: number}): never {
  throw new NumericalError(`Cannot encode document "${id}" as ${name} must be finite: current value is ${value}`);
}
