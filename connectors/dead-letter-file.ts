import {isUtf8} from 'node:buffer';
import type {DeadLetter, DeadLetters} from '../pipeline/dead-letters.ts';
import type {Progress} from '../pipeline/progress.ts';
import {OutputFile} from './output-file.ts';

export type DeadLetterFileOptions = {
  /** Where an interrupted run had got to; the file is cut back to it. */
  readonly progress?: Progress | undefined;
};

/**
 * Keeps dead letters in a file, one JSON object a line:
 * `{"partition", "offset", "key", "timestamp", "error", "message", "content"}`. The offset is a string of digits. Content
 * that is not UTF-8 is in `contentBase64` instead of `content`.
 *
 * A missing file is made when the first letter arrives. One that is there holds, from the first use on, this run's letters
 * only, behind those that were durable when the run it goes on from was interrupted.
 */
export class DeadLetterFile implements DeadLetters {
  readonly #path: string;
  readonly #length: bigint;
  #file: OutputFile | undefined;
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws {TypeError} If `path` is empty. */
  constructor(path: string, {progress}: DeadLetterFileOptions = {}) {
    if (path === '') throw new TypeError('Cannot keep dead letters as path must not be empty: current value is ""');
    this.#path = path;
    this.#length = progress?.outputs.get(OutputFile.output(path)) ?? 0n;
  }

  /** @throws {SinkError} If the file cannot be written, or is shorter than it was when it was made durable. */
  add(letter: DeadLetter): Promise<void> {
    return this.#inTurn(async () => {
      this.#file ??= await OutputFile.open(this.#path, {length: this.#length});
      await this.#file.write(Buffer.from(`${JSON.stringify(toJson(letter))}\n`));
    });
  }

  /** @throws {SinkError} As {@link add} does. */
  flush(): Promise<readonly [output: string, length: bigint] | undefined> {
    return this.#inTurn(async () => {
      this.#file ??=
        this.#length > 0n
          ? await OutputFile.open(this.#path, {length: this.#length})
          : await OutputFile.openExisting(this.#path);
      return this.#file === undefined ? [OutputFile.output(this.#path), 0n] : this.#file.flush();
    });
  }

  /** Writes what is left and closes the file. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#file;
      if (file === undefined || this.#closed) return;
      this.#closed = true;
      await file.flush().finally(() => file.close());
    });
  }

  /** Several operators may share the file, but one write must not overtake another. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function toJson({key, position, timestamp, content, error}: DeadLetter): object {
  const {partition, offset} = position;
  const text = isUtf8(content)
    ? {content: new TextDecoder('utf-8', {ignoreBOM: true}).decode(content)}
    : {contentBase64: Buffer.from(content).toString('base64')};
  return {partition, offset: `${offset}`, key, timestamp, error: error.name, message: error.message, ...text};
}
