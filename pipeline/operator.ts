import type {ReadableStream, WritableStream} from 'node:stream/web';
import type {Element} from './element.ts';
import type {StreamRecord} from './stream-record.ts';

/** What the run that an operator is part of lets it know. */
export type OperatorContext = {
  /**
   * Aborted as soon as the run fails or is aborted, with the reason. Operators release what they hold when it fires:
   * the `cancel` hook of a transformer is not called by every supported Node.js.
   */
  readonly signal: AbortSignal;
};

/**
 * Makes a fresh operator for one run: a `TransformStream`, or any other pair of streams.
 *
 * An operator passes every {@link Checkpoint} on, behind all it has made of the records before it.
 */
export type Operator<I, O> = (context: OperatorContext) => {
  readonly readable: ReadableStream<Element<StreamRecord<O>>>;
  readonly writable: WritableStream<Element<StreamRecord<I>>>;
};
