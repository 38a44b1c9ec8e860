import {byteCharacters} from '../../model/tokenizer/byte-characters.ts';

/** The tokens that a byte-level vocabulary begins with, in order of their characters: one for each byte, so that no text is unknown. [256] */
export const byteAlphabet: readonly string[] = [...byteCharacters].sort();
