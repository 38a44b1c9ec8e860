import type {TokenStretch} from '../documents/document-tokens.ts';

/** A word between white space, and the bits that its tokens took. */
export type MeasuredWord = {readonly word: string; readonly bits: number};

/**
 * Puts the words of one document together from its tokens, in order.
 *
 * The bits of a token go to the word that its first letter belongs to; those of white space alone, to the word that follows.
 */
export class WordPieces {
  #letters: number[] = [];
  #bits = 0;

  /** The words that end in a stretch. */
  push({text, byteLengths, bits}: TokenStretch & {readonly bits: Float32Array}): MeasuredWord[] {
    const words: MeasuredWord[] = [];
    let offset = 0;
    for (const [index, length] of byteLengths.entries()) {
      let counted = false;
      for (let i = offset; i < offset + length; i++) {
        const byte = text[i]!;
        if (isSpace(byte)) this.#end(words);
        else {
          if (!counted) this.#bits += bits[index]!;
          counted = true;
          this.#letters.push(byte);
        }
      }
      if (!counted) this.#bits += bits[index]!;
      offset += length;
    }
    return words;
  }

  /** The word that the document ends with, and bits that belong to none. */
  end(): {readonly words: readonly MeasuredWord[]; readonly bits: number} {
    const words: MeasuredWord[] = [];
    this.#end(words);
    return {words, bits: this.#bits};
  }

  #end(words: MeasuredWord[]): void {
    if (this.#letters.length === 0) return;
    words.push({word: Buffer.from(this.#letters).toString(), bits: this.#bits});
    this.#letters = [];
    this.#bits = 0;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
