import {constants} from 'node:fs';
import {access, type FileHandle, open, stat} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {SinkError} from '../errors.ts';
import {realPath} from './real-path.ts';
import {sinkFailure} from './sink-failure.ts';

const BUFFER_BYTES = 64 * 1024;

/** A file that is written from some length on and made durable on demand. */
export class OutputFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Whether it can be cut back, unlike a pipe or a device. */
  readonly #regular: boolean;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #written: number;
  #closing: Promise<void> | undefined;

  private constructor(path: string, {handle, regular, length}: {handle: FileHandle; regular: boolean; length: number}) {
    this.#path = path;
    this.#handle = handle;
    this.#regular = regular;
    this.#written = length;
  }

  /** Name of the file at `path` in {@link Progress.outputs}. */
  static output(path: string): string {
    return `file:${realPath(path)}`;
  }

  /**
   * Opens a file, makes it if it is missing, and cuts it back to `length`.
   *
   * @throws {SinkError} If it is shorter than that, or cannot be opened.
   */
  static async open(path: string, {length = 0n}: {length?: bigint | undefined} = {}): Promise<OutputFile> {
    const file = await OutputFile.openExisting(path, {length});
    if (file !== undefined) return file;
    if (length > 0n) throw tooShort(path, {length, size: 0});
    return OutputFile.#open(path, {length, flags: constants.O_WRONLY | constants.O_CREAT});
  }

  /** Like {@link open}, but resolves to `undefined` if the file is missing. */
  static async openExisting(
    path: string,
    {length = 0n}: {length?: bigint | undefined} = {},
  ): Promise<OutputFile | undefined> {
    try {
      return await OutputFile.#open(path, {length, flags: constants.O_WRONLY});
    } catch (error) {
      const cause = (error as SinkError).cause as NodeJS.ErrnoException | undefined;
      if (cause?.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Makes sure, without touching it, that a file can be written or made.
   *
   * @throws {SinkError} If it cannot.
   */
  static async check(path: string): Promise<void> {
    try {
      const status = await stat(path).catch(() => undefined);
      await access(status === undefined ? dirname(path) : path, constants.W_OK);
      // Opening it would say so.
      if (status?.isDirectory()) throw Object.assign(new Error('It is a directory'), {code: 'EISDIR'});
    } catch (error) {
      throw sinkFailure(error, {name: path});
    }
  }

  /**
   * Makes sure that a file can be written or made, and that nothing is lost by that.
   *
   * @throws {SinkError} If it cannot, or holds anything.
   */
  static async checkEmpty(path: string): Promise<void> {
    await OutputFile.check(path);
    const status = await stat(path).catch(() => undefined);
    if (!status?.isFile() || status.size === 0) return;
    throw new SinkError(
      `Cannot go on writing "${path}" as it must be a file that was written before, or new: it holds ${status.size} other bytes; remove it, or name another`,
    );
  }

  static async #open(path: string, {length, flags}: {length: bigint; flags: number}): Promise<OutputFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, flags);
      const status = await handle.stat();
      if (!status.isFile()) return new OutputFile(path, {handle, regular: false, length: 0});
      if (status.size < length) throw tooShort(path, {length, size: status.size});
      await handle.truncate(Number(length));
      if ((flags & constants.O_CREAT) !== 0) await makeEntryDurable(path);
      return new OutputFile(path, {handle, regular: true, length: Number(length)});
    } catch (error) {
      await handle?.close();
      throw sinkFailure(error, {name: path});
    }
  }

  /** Takes bytes; waits for the disk only when a buffer is full. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= BUFFER_BYTES) await this.#writeOut();
  }

  /** Makes durable what was written; resolves as {@link Checkpoint.onFlush} wants it. */
  async flush(): Promise<readonly [output: string, length: bigint] | undefined> {
    await this.#writeOut();
    if (!this.#regular) return undefined;
    try {
      await this.#handle.datasync();
      await this.#checkUnchanged();
    } catch (error) {
      throw sinkFailure(error, {name: this.#path});
    }
    return [OutputFile.output(this.#path), BigInt(this.#written)];
  }

  /** What another program cut off, wrote over or removed would be missing without a word. */
  async #checkUnchanged(): Promise<void> {
    const {size, nlink} = await this.#handle.stat();
    if (size === this.#written && nlink > 0) return;
    throw new SinkError(
      `Cannot write "${this.#path}" as nothing else may change it meanwhile: ${nlink === 0 ? 'it was removed' : `it holds ${size} bytes in place of ${this.#written}`}; write elsewhere, or leave it alone`,
    );
  }

  /** Closes the file without what is not written yet. Closing twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  async #writeOut(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      for (let start = 0; start < bytes.length; ) {
        const position = this.#regular ? this.#written : null;
        const {bytesWritten} = await this.#handle.write(bytes, start, bytes.length - start, position);
        start += bytesWritten;
        this.#written += bytesWritten;
      }
    } catch (error) {
      throw sinkFailure(error, {name: this.#path});
    }
  }
}

/** A new file outlives a crash only once its folder's entry does. */
async function makeEntryDurable(path: string): Promise<void> {
  // Windows opens no folders, and has no need to.
  const folder = await open(dirname(resolve(path))).catch(() => undefined);
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
}

function tooShort(path: string, {length, size}: {length: bigint; size: number}): SinkError {
  return new SinkError(
    `Cannot go on writing "${path}" at byte ${length} as it holds only ${size} bytes: it was cut or replaced`,
  );
}
