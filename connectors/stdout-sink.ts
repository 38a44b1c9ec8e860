import type {Writable} from 'node:stream';
import {WritableStream} from 'node:stream/web';
import {Checkpoint} from '../pipeline/checkpoint.ts';
import type {Element} from '../pipeline/element.ts';
import type {Sink, SinkOptions} from '../pipeline/sink.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {sinkFailure} from './sink-failure.ts';

export type StdoutSinkOptions = {
  /** @default process.stdout */
  readonly stream?: Writable;
};

/**
 * Writes the bytes of its records to standard output, or another Node.js stream, and leaves it open.
 *
 * It cannot be cut back: a run that goes on repeats what was written behind the last committed barrier.
 */
export class StdoutSink implements Sink<Uint8Array> {
  readonly #stream: Writable;

  constructor({stream = process.stdout}: StdoutSinkOptions = {}) {
    this.#stream = stream;
  }

  /**
   * The stream errors with a {@link SinkError}; when the reader has gone, its `cause` has the code `EPIPE`. A write that
   * waits for a slow reader ends when `signal` is aborted.
   */
  open({signal}: SinkOptions = {}): WritableStream<Element<StreamRecord<Uint8Array>>> {
    const stream = this.#stream;
    let interrupt = (_error: unknown): void => {};
    const onError = (error: Error): void => interrupt(sinkFailure(error, {name: 'standard output'}));
    const onAbort = (): void => interrupt(signal?.reason);
    // An error may come when nothing waits for it; it then fails the next write, and must not end the process.
    stream.on('error', onError);
    signal?.addEventListener('abort', onAbort);

    const write = (bytes: Uint8Array): Promise<void> =>
      new Promise<void>((resolve, reject) => {
        interrupt = reject;
        if (signal?.aborted) return reject(signal.reason);
        if (stream.destroyed) return reject(sinkFailure(stream.errored ?? closed(), {name: 'standard output'}));
        stream.write(bytes, error => {
          if (error) reject(sinkFailure(error, {name: 'standard output'}));
          else resolve();
        });
      });

    return new WritableStream<Element<StreamRecord<Uint8Array>>>({
      write: async element => {
        // Waiting until the bytes have been handed over keeps the stream's own buffer empty, so that nothing is left to flush.
        if (!(element instanceof Checkpoint)) return write(element.value);
        await element.commit();
      },
      close: () => {
        stream.off('error', onError);
        signal?.removeEventListener('abort', onAbort);
      },
      abort: () => signal?.removeEventListener('abort', onAbort),
    });
  }

  /** Nothing to do: standard output stays open. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

function closed(): Error {
  return Object.assign(new Error('the stream is closed'), {code: 'EPIPE'});
}
