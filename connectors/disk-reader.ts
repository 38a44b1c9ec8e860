import type {FileHandle} from 'node:fs/promises';
import type {ByteReader} from './byte-reader.ts';

const PIECE_BYTES = 64 * 1024;

/** Reads an open file from its start. */
export class DiskReader implements ByteReader {
  readonly seek?: (position: number) => void;
  readonly #handle: FileHandle;
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  /** `null` reads on from wherever a pipe is. */
  #position: number | null = null;
  #closing: Promise<void> | undefined;

  /** @param handle Belongs to the reader from here on. */
  constructor(handle: FileHandle, {seekable}: {seekable: boolean}) {
    this.#handle = handle;
    if (!seekable) return;
    this.#position = 0;
    this.seek = position => {
      this.#position = position;
    };
  }

  async read(): Promise<Uint8Array | undefined> {
    const {bytesRead} = await this.#handle.read(this.#buffer, 0, PIECE_BYTES, this.#position);
    if (this.#position !== null) this.#position += bytesRead;
    return bytesRead === 0 ? undefined : this.#buffer.subarray(0, bytesRead);
  }

  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }
}
