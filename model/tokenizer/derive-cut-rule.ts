import {ModelError} from '../../errors.ts';
import {type CutRule, characterClass} from './cut-rule.ts';
import {isCut} from './is-cut.ts';
import type {TokenizerDefinition} from './tokenizer-definition.ts';
import {tracePreTokenizers} from './trace-pre-tokenizers.ts';

/** Normalisers that change each character by its neighbours only, and never across a boundary before an ASCII character. */
const plainNormalizers = new Set(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents']);

/** Patterns of `Replace` that match white space only. */
const whiteSpacePatterns = new Set([' {2,}', ' +', '\\s+', '\\s{2,}', '\\s']);

const noSpaces: ReadonlySet<string> = new Set();

export type DeriveCutRuleOptions = {
  /** For error messages. */
  readonly path: string;
  /** What the tokenizer's normalisers make of a text. */
  readonly normalize: (text: string) => string;
};

/**
 * Finds where the text of a tokenizer may be cut without changing tokens, from what its parts do.
 *
 * A space is always such a place if something solid stands before it: a space starts a normalisation boundary, no pattern
 * of a supported pre-tokenizer goes on into it, and if no pre-tokenizer parts the text there, no piece of the vocabulary
 * may contain a space behind something else. Tokenizers that split by known patterns can also be cut at line breaks and
 * after words.
 *
 * @throws {ModelError} If some part may look across every boundary; says which.
 */
export function deriveCutRule(definition: TokenizerDefinition, {path, normalize}: DeriveCutRuleOptions): CutRule {
  const refuse = (reason: string): ModelError =>
    new ModelError(
      `Cannot load "${path}" as text must be cut into stretches without changing its tokens, but ${reason}; use another tokenizer, or the byte tokenizer`,
    );
  const {normalizers, addedTokens} = definition;
  for (const {type, pattern, content} of normalizers) {
    if (plainNormalizers.has(type as string) || type === 'BertNormalizer' || type === 'Precompiled') continue;
    if (type !== 'Replace') throw refuse(`its normalizer ${type} changes the start or the end of a text`);
    const {String: string, Regex: regex} = (pattern ?? {}) as Record<string, unknown>;
    if (string === ' ' || (typeof regex === 'string' && whiteSpacePatterns.has(regex))) continue;
    const oneSided = typeof string === 'string' && string !== '' && !/[ \u2581]/.test(string);
    // A single character is classified by what becomes of it; what several become must be as solid as they were.
    if (oneSided && ([...string].length === 1 || classify(normalize(String(content)), noSpaces) !== 0)) continue;
    throw refuse(`its normalizer replaces ${JSON.stringify(pattern)}, which may match across a space or leave nothing`);
  }
  const kept = ['a b', 'a  b'].map(text => /^a([ \u2581]+)b$/u.exec(normalize(text))?.[1]);
  if (kept.includes(undefined)) throw refuse('its normalizer does not keep spaces');
  const spaces = new Set(kept.join(''));

  const trace = tracePreTokenizers(definition, {spaces, refuse});
  const plain = normalizers.every(({type}) => plainNormalizers.has(type as string));
  const bert = normalizers.length === 1 && normalizers[0]!.type === 'BertNormalizer';

  const eatsBehind = addedTokens.filter(({rstrip}) => rstrip).map(({content}) => [...content].at(-1));
  const classes = new Map<number, number>();
  const spacesOnly: CutRule = {
    before: neededBefore([[' ', characterClass.solid]]),
    afterLineBreak: false,
    beforeIdeographicStop: false,
    beforeIdeograph: false,
    classOf(codePoint) {
      let value = classes.get(codePoint);
      if (value === undefined) {
        const character = String.fromCodePoint(codePoint);
        value = eatsBehind.includes(character) ? 0 : classify(normalize(character), trace.spaces);
        classes.set(codePoint, value);
      }
      return value;
    },
  };
  let rule = spacesOnly;
  if (trace.drops && (plain || bert)) {
    rule = {
      ...spacesOnly,
      before: neededBefore([[' \t\n\r', characterClass.solid]]),
      beforeIdeograph: bert && Boolean(normalizers[0]!.handle_chinese_chars),
    };
  } else if (trace.byPattern && plain) {
    rule = {
      ...spacesOnly,
      before: neededBefore([
        [' ', characterClass.solid],
        ['\n\r', characterClass.letter | characterClass.number],
        [',;', characterClass.letter],
      ]),
      // An added token with lstrip eats the line break before it.
      afterLineBreak: !addedTokens.some(({lstrip}) => lstrip),
      beforeIdeographicStop: true,
    };
  }
  const contents = addedTokens.flatMap(({content}) => [content, normalize(content).replaceAll('\u2581', ' ')]);
  if (!contents.some(content => containsCut(content, rule))) return rule;
  const crossing = contents.find(content => containsCut(content, spacesOnly));
  if (crossing !== undefined) throw refuse(`its added token "${crossing}" reaches across a space`);
  return spacesOnly;
}

function neededBefore(needs: readonly (readonly [characters: string, needed: number])[]): Uint8Array {
  const before = new Uint8Array(128);
  for (const [characters, needed] of needs) {
    for (const character of characters) before[character.charCodeAt(0)] = needed;
  }
  return before;
}

/** Whether text may be cut somewhere inside `content`. */
function containsCut(content: string, rule: CutRule): boolean {
  // Whatever comes before: a letter is good for every class.
  const bytes = Buffer.from(`a${content}`);
  return bytes.some((_, index) => index > 1 && isCut(bytes, index, {start: 0, rule}));
}

/** @param spaces What a space has become when the text is cut by the model. */
function classify(normalized: string, spaces: ReadonlySet<string>): number {
  const end = [...normalized].at(-1);
  if (end === undefined || /^[\s\p{White_Space}\u2581]$/u.test(end) || spaces.has(end)) return 0;
  if (/^\p{L}$/u.test(end)) return characterClass.solid | characterClass.letter;
  return /^\p{N}$/u.test(end) ? characterClass.solid | characterClass.number : characterClass.solid;
}
