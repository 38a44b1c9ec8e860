import type {Tokens} from '../model/tokenizer/tokenizer.ts';

/** Tokens that wait to fill segments, with the bytes that each stands for. */
export class TokenBuffer {
  #parts: Tokens[] = [];
  #length = 0;

  constructor(tokens: Tokens = {ids: new Int32Array(0), byteLengths: new Int32Array(0)}) {
    this.push(tokens);
  }

  get length(): number {
    return this.#length;
  }

  push(tokens: Tokens): void {
    if (tokens.ids.length === 0) return;
    this.#parts.push(tokens);
    this.#length += tokens.ids.length;
  }

  /** Removes whole segments from the front and gives them in order. */
  takeSegments(segmentLength: number): Tokens[] {
    const count = Math.floor(this.#length / segmentLength);
    if (count === 0) return [];
    const all = this.all();
    const cut = count * segmentLength;
    this.#parts = [];
    this.#length = 0;
    this.push({ids: all.ids.slice(cut), byteLengths: all.byteLengths.slice(cut)});
    return Array.from({length: count}, (_, index) => ({
      ids: all.ids.slice(index * segmentLength, (index + 1) * segmentLength),
      byteLengths: all.byteLengths.slice(index * segmentLength, (index + 1) * segmentLength),
    }));
  }

  /** All waiting tokens; they keep waiting. */
  all(): Tokens {
    if (this.#parts.length === 1) return this.#parts[0]!;
    const ids = new Int32Array(this.#length);
    const byteLengths = new Int32Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      ids.set(part.ids, offset);
      byteLengths.set(part.byteLengths, offset);
      offset += part.ids.length;
    }
    return {ids, byteLengths};
  }
}
