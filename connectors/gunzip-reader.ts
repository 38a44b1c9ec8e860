import {createGunzip, type Gunzip} from 'node:zlib';
import type {ByteReader} from './byte-reader.ts';

/** Decompresses another reader, which it then owns; members of a gzip file follow each other as one content. */
export class GunzipReader implements ByteReader {
  readonly #compressed: ByteReader;
  readonly #gunzip: Gunzip = createGunzip({chunkSize: 64 * 1024});
  #feeding = false;
  #finished = false;
  #ended = false;
  #error: Error | undefined;
  #wake = (): void => {};

  constructor(compressed: ByteReader) {
    this.#compressed = compressed;
    this.#gunzip
      .on('readable', () => this.#wake())
      .on('end', () => this.#end())
      .on('error', error => this.#end(error));
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#gunzip.read() as Uint8Array | null;
      if (piece !== null) return piece;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      // Fed only when all it was fed before has been taken, so that what precedes an error is never lost with it.
      if (!this.#feeding && !this.#finished) await this.#feed();
      else {
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      }
    }
  }

  async close(): Promise<void> {
    this.#end();
    this.#gunzip.destroy();
    await this.#compressed.close();
  }

  async #feed(): Promise<void> {
    const piece = await this.#compressed.read();
    if (this.#ended) return;
    if (piece === undefined) {
      this.#finished = true;
      this.#gunzip.end();
      return;
    }
    this.#feeding = true;
    this.#gunzip.write(piece, () => {
      this.#feeding = false;
      this.#wake();
    });
  }

  #end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }
}
