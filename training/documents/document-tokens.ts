import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {CorpusDocument} from './corpus.ts';
import {readText} from './read-text.ts';

/** A stretch of a document. */
export type TokenStretch = {
  readonly ids: Int32Array;
  /** UTF-8 bytes that each token stands for. */
  readonly byteLengths: Int32Array;
  /** The text itself. */
  readonly text: Uint8Array;
};

/** Reads the tokens of one document from its start, holding no more than a piece of it. */
export class DocumentTokens {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #tokenizer: Tokenizer;
  #carry: Uint8Array = new Uint8Array();
  #ids = new Int32Array();
  #byteLengths = new Int32Array();
  #text: Uint8Array = new Uint8Array();
  /** Tokens of the buffer that were taken, and their bytes. */
  #taken = 0;
  #takenBytes = 0;
  #ended = false;

  constructor(document: CorpusDocument, tokenizer: Tokenizer) {
    this.#pieces = readText(document)[Symbol.asyncIterator]();
    this.#tokenizer = tokenizer;
  }

  /** Tokens that can be taken without reading. */
  get available(): number {
    return this.#ids.length - this.#taken;
  }

  /** Makes `count` tokens available, or all that are left, and returns how many are. */
  async fill(count: number): Promise<number> {
    while (this.available < count && !this.#ended) {
      const {done = false, value = new Uint8Array()} = await this.#pieces.next();
      const {ids, byteLengths, carry} = this.#tokenizer.push(this.#carry, value, done);
      this.#ended = done;
      const text = Buffer.concat([this.#carry, value]);
      this.#text = Buffer.concat([this.#text.subarray(this.#takenBytes), text.subarray(0, text.length - carry.length)]);
      this.#ids = join(this.#ids.subarray(this.#taken), ids);
      this.#byteLengths = join(this.#byteLengths.subarray(this.#taken), byteLengths);
      this.#carry = carry;
      this.#taken = this.#takenBytes = 0;
    }
    return this.available;
  }

  /** Available tokens, which stay available; valid until the next `fill`. */
  peek(count: number): Int32Array {
    return this.#ids.subarray(this.#taken, this.#taken + count);
  }

  /** Takes available tokens out; valid until the next `fill`. */
  take(count: number): TokenStretch {
    const end = Math.min(this.#ids.length, this.#taken + count);
    const byteLengths = this.#byteLengths.subarray(this.#taken, end);
    const bytes = byteLengths.reduce((sum, length) => sum + length, 0);
    const stretch = {
      ids: this.#ids.subarray(this.#taken, end),
      byteLengths,
      text: this.#text.subarray(this.#takenBytes, this.#takenBytes + bytes),
    };
    this.#taken = end;
    this.#takenBytes += bytes;
    return stretch;
  }

  /** Passes over tokens; returns how many there were. */
  async skip(count: number): Promise<number> {
    let skipped = 0;
    while (skipped < count && (await this.fill(1)) > 0) skipped += this.take(count - skipped).ids.length;
    return skipped;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

function join(a: Int32Array, b: Int32Array): Int32Array<ArrayBuffer> {
  const joined = new Int32Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
