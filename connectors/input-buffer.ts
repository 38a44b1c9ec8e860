import type {ByteReader} from './byte-reader.ts';

const INITIAL_BYTES = 128 * 1024;
/** How much of what was taken can be looked at again. */
const PRECEDING_BYTES = 1024;
/** Old and new bytes are held while they are copied: more would take more memory, less more copies. */
const growth = 1.25;

/** Looks ahead into what a reader gives, and counts what was taken. */
export class InputBuffer implements ByteReader {
  readonly #reader: ByteReader;
  /** Whether more may be slow to come. */
  readonly live: boolean;
  #bytes = new Uint8Array(INITIAL_BYTES);
  #start = 0;
  #end = 0;
  #ended = false;
  #offset = 0;

  /**
   * @param reader At its start; belongs to the buffer from here on.
   * @param options `live` if more may be slow to come, as from a pipe. @default false
   */
  constructor(reader: ByteReader, {live = false}: {readonly live?: boolean} = {}) {
    this.#reader = reader;
    this.live = live;
  }

  /** Whether all that is left is available. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Index of the next byte in the whole content. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that can be looked at without reading. */
  get available(): number {
    return this.#end - this.#start;
  }

  /** Makes `count` bytes available, or all that are left, and returns how many are. */
  async fill(count: number): Promise<number> {
    while (this.available < count && !this.#ended) {
      const piece = await this.#reader.read();
      if (piece === undefined) this.#ended = true;
      else this.#append(piece);
    }
    return this.available;
  }

  /**
   * Makes up to `count` bytes available and returns how many of them may be taken: if more may be slow to come, those that are there but for
   * one, so that whatever is the last takes a byte at least.
   */
  async gather(count: number): Promise<number> {
    if (!this.live) return Math.min(count, await this.fill(count));
    const available = await this.fill(2);
    return Math.min(count, this.#ended ? available : available - 1);
  }

  /** The next available bytes; valid until the next `fill`. */
  peek(count: number): Uint8Array {
    return this.#bytes.subarray(this.#start, Math.min(this.#start + count, this.#end));
  }

  /** The last bytes that were taken or passed over, up to 1024; valid until the next `fill`. */
  get preceding(): Uint8Array {
    return this.#bytes.subarray(Math.max(0, this.#start - PRECEDING_BYTES), this.#start);
  }

  /** Index of `byte` among the available ones, from `from` on, or -1. */
  indexOf(byte: number, from = 0): number {
    const index = this.#bytes.subarray(0, this.#end).indexOf(byte, this.#start + from);
    return index === -1 ? -1 : index - this.#start;
  }

  /** Takes available bytes out. */
  take(count: number): Uint8Array {
    const bytes = this.peek(count).slice();
    this.drop(bytes.length);
    return bytes;
  }

  /** Passes over available bytes. */
  drop(count: number): void {
    this.#start += count;
    this.#offset += count;
  }

  async read(): Promise<Uint8Array | undefined> {
    return (await this.fill(1)) === 0 ? undefined : this.take(this.available);
  }

  /** Passes over `count` bytes, whether available or not, of which it reads the last ones at least; returns how many there were. */
  async skip(count: number): Promise<number> {
    let skipped = 0;
    if (this.available < count - PRECEDING_BYTES && this.#reader.seek !== undefined) {
      skipped = count - PRECEDING_BYTES;
      this.#offset += skipped;
      this.#start = this.#end = 0;
      this.#reader.seek(this.#offset);
    }
    while (skipped < count && (await this.fill(1)) > 0) {
      const bytes = Math.min(this.available, count - skipped);
      this.drop(bytes);
      skipped += bytes;
    }
    return skipped;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #append(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#bytes.length) {
      const kept = this.#bytes.subarray(this.#start - this.preceding.length, this.#end);
      const needed = kept.length + piece.length;
      const bytes =
        needed > this.#bytes.length ? new Uint8Array(Math.max(needed, growth * this.#bytes.length)) : this.#bytes;
      this.#start = this.preceding.length;
      this.#end = kept.length;
      bytes.set(kept);
      this.#bytes = bytes;
    }
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }
}
