import {splitPattern} from './split-pattern.ts';

/** Unicode's white space, which is what `\s` means to the libraries that read a `tokenizer.json`; JavaScript's differs in two characters. */
const pattern = new RegExp(
  splitPattern
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`)
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`),
  'gu',
);

/** Characters that are kept back at most while no place to cut has come. */
const longestStretch = 65_536;
/** What a piece takes beside its characters, in bytes, about. */
const pieceOverhead = 64;

export type PieceCounterOptions = {
  /** Bytes that different pieces may take; where they would take more, the rarest half is forgotten. @default 512 MiB */
  readonly mostBytes?: number;
};

/** Counts the pieces of texts that come a stretch at a time. */
export class PieceCounter {
  readonly #mostBytes: number;
  #index = new Map<string, number>();
  #counts: number[] = [];
  #bytes = 0;
  #decoder = new TextDecoder('utf-8', {ignoreBOM: true});
  /** Text whose last piece may go on. */
  #pending = '';

  constructor({mostBytes = 512 * 2 ** 20}: PieceCounterOptions = {}) {
    if (!(mostBytes > 0))
      throw new RangeError(`Cannot count pieces as mostBytes must be positive: current value is ${mostBytes}`);
    this.#mostBytes = mostBytes;
  }

  /** Counts UTF-8; ill-formed sequences count as U+FFFD. */
  push(bytes: Uint8Array): void {
    this.#pending += this.#decoder.decode(bytes, {stream: true});
    const cut = lastCut(this.#pending);
    if (cut > 0) {
      this.#count(this.#pending.slice(0, cut));
      this.#pending = this.#pending.slice(cut);
    } else if (this.#pending.length > longestStretch) {
      this.#count(this.#pending);
      this.#pending = '';
    }
  }

  /** Counts what was kept back: the next text has nothing to do with the one before. */
  endText(): void {
    this.#count(this.#pending + this.#decoder.decode());
    this.#pending = '';
  }

  /** Each different piece and how often it occurred, in order of first occurrence. */
  *[Symbol.iterator](): Generator<readonly [piece: string, count: number], void> {
    for (const [piece, index] of this.#index) yield [piece, this.#counts[index]!];
  }

  #count(text: string): void {
    for (const piece of text.match(pattern) ?? []) {
      const index = this.#index.get(piece);
      if (index !== undefined) this.#counts[index]!++;
      else this.#add(piece);
    }
  }

  #add(piece: string): void {
    // A copy, as a part of a string keeps all of it.
    const copy = Buffer.from(piece).toString();
    this.#index.set(copy, this.#counts.push(1) - 1);
    this.#bytes += sizeOf(copy);
    if (this.#bytes > this.#mostBytes) this.#forget();
  }

  /** Keeps the more frequent half; of equals, the older ones. */
  #forget(): void {
    const kept = [...this].sort(([, a], [, b]) => b - a);
    this.#index = new Map();
    this.#counts = [];
    this.#bytes = 0;
    for (const [piece, count] of kept) {
      if (this.#bytes + sizeOf(piece) > this.#mostBytes / 2) break;
      this.#index.set(piece, this.#counts.push(count) - 1);
      this.#bytes += sizeOf(piece);
    }
  }
}

/** The last place where no piece goes on: before a space behind something that is not white space. */
function lastCut(text: string): number {
  let cut = text.length;
  do cut = text.lastIndexOf(' ', cut - 1);
  while (cut > 0 && /\s|\u0085/.test(text[cut - 1]!));
  return cut;
}

function sizeOf(piece: string): number {
  return pieceOverhead + 2 * piece.length;
}
