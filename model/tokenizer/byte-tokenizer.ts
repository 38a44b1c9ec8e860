import {createHash} from 'node:crypto';
import {joinBytes} from './join-bytes.ts';
import {toWellFormedUtf8} from './to-well-formed-utf8.ts';
import type {TokenizedChunk, Tokenizer} from './tokenizer.ts';

/**
 * A token for each byte of the well-formed text. It holds back nothing but the start of a character.
 *
 * Ill-formed UTF-8 becomes the three bytes of U+FFFD, of which the first ones stand for one byte of input each.
 */
export class ByteTokenizer implements Tokenizer {
  readonly vocabularySize = 256;
  readonly fingerprint = createHash('sha256').update('palimpsest byte tokenizer 1').digest('hex');

  push(carry: Uint8Array, content: Uint8Array, last: boolean): TokenizedChunk {
    const input = joinBytes(carry, content);
    const {bytes, consumed, replacedAt, replacedLengths} = toWellFormedUtf8(input, last);
    const byteLengths = new Int32Array(bytes.length).fill(1);
    for (const [i, at] of replacedAt.entries()) byteLengths.fill(0, at + replacedLengths[i]!, at + 3);
    // Copied by constructor, as the slice of a Buffer shares its memory.
    const rest = new Uint8Array(input.subarray(consumed));
    return {ids: new Int32Array(bytes), byteLengths, carry: rest, replaced: replacedAt.length};
  }

  /** @throws {RangeError} If an id is not a byte. */
  decode(ids: ArrayLike<number>): string {
    const bytes = Buffer.alloc(ids.length);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!Number.isInteger(id) || id < 0 || id > 255) {
        throw new RangeError(`Cannot decode tokens as each must be 0 to 255: current value is ${id}`);
      }
      bytes[i] = id;
    }
    return bytes.toString();
  }
}
