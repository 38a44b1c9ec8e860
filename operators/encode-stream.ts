import {TransformStream} from 'node:stream/web';
import {Checkpoint, type Element, type StreamRecord} from '../pipeline/index.ts';
import type {Embedding} from './embedding.ts';
import {embeddingJson} from './embedding-json.ts';

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
        else controller.enqueue({...element, value: utf8.encode(`${embeddingJson(element.value)}\n`)});
      },
    });
  }
}
