import {WritableStream} from 'node:stream/web';
import {Checkpoint} from '../pipeline/checkpoint.ts';
import type {Element} from '../pipeline/element.ts';
import type {Sink, SinkOptions} from '../pipeline/sink.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {OutputFile} from './output-file.ts';

/**
 * Writes the bytes of its records into one file, one behind the other; the output is named `file:` and the absolute path without links.
 *
 * A run begins the file anew; one that goes on first cuts it back to what the last committed barrier made durable.
 */
export class FileSink implements Sink<Uint8Array> {
  readonly #path: string;
  #file: OutputFile | undefined;

  /** @throws {TypeError} If `path` is empty. */
  constructor(path: string) {
    if (path === '') throw new TypeError('Cannot write to a file as its path must not be empty: current value is ""');
    this.#path = path;
  }

  /** The stream errors with a {@link SinkError} that names the file. */
  open({progress}: SinkOptions = {}): WritableStream<Element<StreamRecord<Uint8Array>>> {
    const opening = OutputFile.open(this.#path, {length: progress?.outputs.get(OutputFile.output(this.#path))});
    return new WritableStream<Element<StreamRecord<Uint8Array>>>({
      start: async () => {
        this.#file = await opening;
      },
      write: async element => {
        const file = await opening;
        try {
          await put(file, element);
        } catch (error) {
          // A stream whose write failed is not asked to abort.
          await file.close();
          throw error;
        }
      },
      close: async () => {
        const file = await opening;
        await file.flush().finally(() => file.close());
      },
      abort: async () => (await opening).close(),
    });
  }

  /** Closes the file if its stream has not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}

async function put(file: OutputFile, element: Element<StreamRecord<Uint8Array>>): Promise<void> {
  if (!(element instanceof Checkpoint)) return file.write(element.value);
  element.onFlush(() => file.flush());
  await element.commit();
}
