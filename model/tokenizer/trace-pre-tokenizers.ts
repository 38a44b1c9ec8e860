import type {ModelError} from '../../errors.ts';
import {byteCharacters} from './byte-characters.ts';
import {knownSplitPatterns} from './known-split-patterns.ts';
import type {TokenizerDefinition, TokenizerPart} from './tokenizer-definition.ts';

/** What becomes of the boundary between something solid and a space on its way to the model. */
export type PreTokenizerTrace = {
  /** What a space has become when it reaches the model. */
  readonly spaces: ReadonlySet<string>;
  /** Whether white space is dropped where the text is parted. */
  readonly drops: boolean;
  /** Whether the text is parted by one of the known patterns, and may start with anything. */
  readonly byPattern: boolean;
};

export type TracePreTokenizersOptions = {
  /** What a space has become after normalisation. */
  readonly spaces: ReadonlySet<string>;
  readonly refuse: (reason: string) => ModelError;
};

type Trace = {spaces: ReadonlySet<string>; parted: boolean; drops: boolean; byPattern: boolean};

/**
 * Follows a space behind something solid through the pre-tokenizers, and proves that its left and right sides cannot
 * touch in any of them nor in the model.
 *
 * @throws {ModelError} If one of them may look across.
 */
export function tracePreTokenizers(
  definition: TokenizerDefinition,
  {spaces, refuse}: TracePreTokenizersOptions,
): PreTokenizerTrace {
  const {preTokenizers, addedTokens} = definition;
  const trace: Trace = {spaces, parted: false, drops: false, byPattern: false};
  let simple = true;
  for (const part of preTokenizers) {
    if (part.type === 'Metaspace') {
      const first = part.prepend_scheme === 'first';
      if (first && (trace.drops || addedTokens.some(({special, normalized}) => normalized ?? !special))) {
        throw refuse('its pre-tokenizer Metaspace treats the first word after an added token in another way');
      }
    }
    if (!trace.parted) follow(part, {trace, simple, refuse});
    else if (part.type === 'Metaspace' && trace.drops) trace.spaces = new Set([metaspaceReplacement(part, refuse)]);
    if (part.type !== 'Digits' && part.type !== 'Punctuation') simple = false;
  }
  if (!trace.parted) checkVocabulary(definition, {spaces: trace.spaces, refuse});
  checkUnknown(definition, {trace, refuse});
  return trace;
}

type FollowOptions = {
  readonly trace: Trace;
  /** Whether only runs of digits or punctuation were set apart so far. */
  readonly simple: boolean;
  readonly refuse: (reason: string) => ModelError;
};

function follow(part: TokenizerPart, {trace, simple, refuse}: FollowOptions): void {
  const {type} = part;
  const needSpace = (): void => {
    if (trace.spaces.size !== 1 || !trace.spaces.has(' ')) {
      throw refuse(`its pre-tokenizer ${type} needs spaces that an earlier part has replaced`);
    }
  };
  switch (type) {
    case 'Digits':
    case 'Punctuation':
      return;
    case 'Whitespace':
    case 'WhitespaceSplit':
    case 'BertPreTokenizer':
      needSpace();
      trace.parted = true;
      trace.drops = true;
      return;
    case 'ByteLevel':
      needSpace();
      if (part.use_regex === false) {
        trace.spaces = new Set([byteCharacters[0x20]!]);
        return;
      }
      trace.parted = true;
      trace.byPattern = simple && part.add_prefix_space !== true;
      return;
    case 'Metaspace':
      trace.spaces = new Set([metaspaceReplacement(part, refuse)]);
      return;
    case 'Split':
      followSplit(part, {trace, simple, refuse});
      return;
    default:
      throw refuse(`its pre-tokenizer ${type} may look across a space`);
  }
}

function followSplit(part: TokenizerPart, {trace, simple, refuse}: FollowOptions): void {
  const {String: string, Regex: regex} = (part.pattern ?? {}) as Record<string, unknown>;
  const invert = part.invert === true;
  const isolated = String(part.behavior).toLowerCase() === 'isolated';
  const onlySpaces = trace.spaces.size === 1 && trace.spaces.has(' ');
  if (typeof regex === 'string' && knownSplitPatterns.has(regex) && onlySpaces && (invert || isolated)) {
    trace.parted = true;
    trace.byPattern = simple;
  } else if (string === ' ' && onlySpaces && part.invert === false) {
    trace.parted = true;
  } else if (typeof string !== 'string' || string === '' || /[\s\u2581]/.test(string) !== (string === ' ') || invert) {
    throw refuse(`it splits by ${JSON.stringify(part.pattern)}, which is not known to keep to one side of a space`);
  }
}

function metaspaceReplacement(part: TokenizerPart, refuse: (reason: string) => ModelError): string {
  const replacement = part.replacement ?? '\u2581';
  if (replacement !== '\u2581' || (part.str_rep ?? replacement) !== replacement) {
    throw refuse(`its pre-tokenizer Metaspace replaces spaces by ${JSON.stringify(replacement)}`);
  }
  return replacement;
}

/** Without a part that parts the text, merges and pieces must not reach from something else into a space. */
function checkVocabulary(
  {model, vocabulary}: TokenizerDefinition,
  {spaces, refuse}: {spaces: ReadonlySet<string>; refuse: (reason: string) => ModelError},
): void {
  if (model.type === 'WordPiece') throw refuse('it has no pre-tokenizer that parts words');
  if (model.end_of_word_suffix || model.continuing_subword_suffix) {
    throw refuse('it marks ends of words but has no pre-tokenizer that parts them');
  }
  const set = [...spaces].join('');
  const crossing = new RegExp(`[^${set}][${set}]`, 'u');
  const merges = (model.merges ?? []) as readonly (string | readonly string[])[];
  const pieces = model.type === 'BPE' ? [...vocabulary.keys(), ...merges.map(join)] : vocabulary.keys();
  for (const piece of pieces) {
    if (crossing.test(piece)) throw refuse(`its piece "${piece}" reaches across a space`);
  }
}

function join(merge: string | readonly string[]): string {
  return typeof merge === 'string' ? merge.split(' ', 2).join('') : merge.join('');
}

/** Unknown pieces that stand together become one token, so the first piece behind a cut must be known. */
function checkUnknown(
  {model, vocabulary, preTokenizers}: TokenizerDefinition,
  {trace, refuse}: {trace: Trace; refuse: (reason: string) => ModelError},
): void {
  if (model.type !== 'Unigram' && !model.fuse_unk) return;
  if (preTokenizers.some(({type}) => type === 'ByteLevel') && byteCharacters.every(c => vocabulary.has(c))) return;
  const marks = preTokenizers.some(part => part.type === 'Metaspace' && part.prepend_scheme !== 'never');
  const marked = !trace.drops || marks;
  if (!marked || ![...trace.spaces].every(space => vocabulary.has(space))) {
    throw refuse('it makes one token of unknown pieces on both sides of a space');
  }
  // Only a space is sure to be known.
  trace.byPattern = false;
}
