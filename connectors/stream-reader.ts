import type {Readable} from 'node:stream';
import type {ByteReader} from './byte-reader.ts';

/** Reads a Node.js stream such as standard input; takes nothing from it but what is asked for. */
export class StreamReader implements ByteReader {
  readonly #stream: Readable;
  #ended = false;
  #error: Error | undefined;
  #wake = (): void => {};

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('readable', this.#onChange).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError);
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#stream.read() as Uint8Array | string | null;
      if (typeof piece === 'string') return Buffer.from(piece);
      if (piece !== null && piece.length > 0) return piece;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    this.#stream.off('readable', this.#onChange).off('end', this.#onEnd).off('close', this.#onEnd);
    // The error listener stays: destroying a stream may still make it report one, which then concerns nobody.
    this.#stream.destroy();
    this.#onEnd();
  }

  readonly #onChange = (): void => this.#wake();

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
    this.#wake();
  };
}
