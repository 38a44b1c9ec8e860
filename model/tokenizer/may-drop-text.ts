import {byteCharacters} from './byte-characters.ts';
import {knownSplitPatterns} from './known-split-patterns.ts';
import type {TokenizerDefinition, TokenizerPart} from './tokenizer-definition.ts';

const keepingNormalizers = new Set(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase']);
const keepingPreTokenizers = new Set(['ByteLevel', 'Metaspace', 'Digits', 'Punctuation']);

/** Whether some text may give no token at all; `true` if that is not certain. */
export function mayDropText({
  normalizers,
  preTokenizers,
  model,
  addedTokens,
  vocabulary,
}: TokenizerDefinition): boolean {
  const bytesKnown =
    preTokenizers.some(({type}) => type === 'ByteLevel') && byteCharacters.every(byte => vocabulary.has(byte));
  const unknownKept = model.type !== 'BPE' || typeof model.unk_token === 'string';
  return (
    !(bytesKnown || unknownKept) ||
    addedTokens.some(({lstrip, rstrip}) => lstrip || rstrip) ||
    !normalizers.every(part => keepingNormalizers.has(part.type as string) || replacesSpace(part)) ||
    !preTokenizers.every(part => keepingPreTokenizers.has(part.type as string) || keepsAll(part))
  );
}

function replacesSpace({type, pattern, content}: TokenizerPart): boolean {
  return type === 'Replace' && (pattern as {String?: unknown} | undefined)?.String === ' ' && content === '\u2581';
}

function keepsAll({type, pattern, behavior, invert}: TokenizerPart): boolean {
  const regex = (pattern as {Regex?: unknown} | undefined)?.Regex;
  if (type !== 'Split') return false;
  return knownSplitPatterns.has(regex as string) || (String(behavior).toLowerCase() !== 'removed' && invert !== true);
}
