import type {TokenizerDefinition} from './tokenizer-definition.ts';

/** A function that tells how many bytes of text a token seems to stand for. */
export function surfaceLength({model, preTokenizers, addedTokens}: TokenizerDefinition): (token: string) => number {
  const added = new Map(addedTokens.map(({content}) => [content, Buffer.byteLength(content)]));
  const byteLevel = preTokenizers.some(({type}) => type === 'ByteLevel');
  const prefix = model.type === 'WordPiece' ? model.continuing_subword_prefix : undefined;
  const suffix = model.end_of_word_suffix;
  return token => {
    const length = added.get(token);
    if (length !== undefined) return length;
    let text = token;
    if (typeof prefix === 'string' && text.startsWith(prefix)) text = text.slice(prefix.length);
    if (typeof suffix === 'string' && suffix !== '' && text.endsWith(suffix)) text = text.slice(0, -suffix.length);
    // A byte-level token has one character for each byte.
    if (byteLevel) return text.length;
    if (model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(text)) return 1;
    return Buffer.byteLength(text.replaceAll('\u2581', ' '));
  };
}
