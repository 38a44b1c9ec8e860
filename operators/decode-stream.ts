import {TransformStream} from 'node:stream/web';
import {Checkpoint, type DeadLetters, type DocumentChunk, type Element, type StreamRecord} from '../pipeline/index.ts';
import type {Decoder} from './decoder.ts';
import {DocumentEnds, type Waiting} from './document-ends.ts';

type DocumentElement = Element<StreamRecord<DocumentChunk>>;

export type DecodeStreamOptions = {
  /** Where records go that cannot be decoded; without it, the first of them ends the run. */
  readonly deadLetters?: DeadLetters;
};

/**
 * Turns a source's records into records of documents: keyed by document, with each document's last record marked.
 *
 * Elements keep their order. With a contiguous decoder, the latest record of each partition is held back until it is
 * known whether its document goes on, and everything behind it waits. Dead letters are durable before a barrier passes.
 */
export class DecodeStream extends TransformStream<DocumentElement, DocumentElement> {
  /**
   * The stream errors with a {@link DecodeError} at a record that cannot be decoded if there are no dead letters.
   *
   * @param decoder Not shared with another stream.
   */
  constructor(decoder: Decoder, {deadLetters}: DecodeStreamOptions = {}) {
    const ends = new DocumentEnds();

    async function pass(element: Waiting): Promise<DocumentElement | undefined> {
      if (element instanceof Checkpoint) {
        if (deadLetters !== undefined) {
          // At once, as letters from behind the barrier may come before the sink meets it, and are not covered by it.
          const flushed = await deadLetters.flush();
          element.onFlush(async () => flushed);
        }
        return element;
      }
      if ('value' in element) return element;
      if (deadLetters === undefined) throw element.error;
      await deadLetters.add(element);
      return undefined;
    }

    super({
      async transform(element, controller) {
        const elements = element instanceof Checkpoint ? [element] : decoder.decode(element);
        if (decoder.contiguous) {
          for (const decoded of elements) ends.push(decoded);
          if (!(element instanceof Checkpoint) && element.value.last) ends.end(element.position.partition);
        }
        for (const waiting of decoder.contiguous ? ends.take() : elements) {
          const passed = await pass(waiting);
          if (passed !== undefined) controller.enqueue(passed);
        }
      },
      async flush(controller) {
        ends.endAll();
        for (const waiting of ends.take()) {
          const passed = await pass(waiting);
          if (passed !== undefined) controller.enqueue(passed);
        }
      },
    });
  }
}
