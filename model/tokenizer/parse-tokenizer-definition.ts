import {ModelError} from '../../errors.ts';
import {shownValue} from '../shown-value.ts';
import type {AddedTokenDefinition, TokenizerDefinition, TokenizerPart} from './tokenizer-definition.ts';

/**
 * Checks the shape of a parsed `tokenizer.json` as far as tokens depend on it.
 *
 * @throws {ModelError} If it is not a tokenizer, or a kind of model that is not supported.
 */
export function parseTokenizerDefinition(json: unknown, {path}: {readonly path: string}): TokenizerDefinition {
  const fail = (rule: string, value: unknown): ModelError =>
    new ModelError(
      `Cannot load "${path}" as ${rule}: current value is ${shownValue(value)}; use a tokenizer.json of the Hugging Face format`,
    );
  if (!isObject(json)) throw fail('it must be an object', json);
  const {model} = json;
  if (!isObject(model)) throw fail('its model must be an object', model);
  const {type, vocab} = model;
  if (type !== 'BPE' && type !== 'WordPiece' && type !== 'Unigram') {
    throw fail('its model must be of type BPE, WordPiece or Unigram', type);
  }
  const vocabulary = new Map<string, number>();
  if (type === 'Unigram') {
    if (!Array.isArray(vocab)) throw fail('the vocabulary of a Unigram model must be an array', typeof vocab);
    for (const [i, entry] of vocab.entries()) {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !Number.isFinite(entry[1])) {
        throw fail(`entry ${i} of its vocabulary must be a piece and a score`, entry);
      }
      vocabulary.set(entry[0], i);
    }
  } else {
    if (!isObject(vocab)) throw fail('its vocabulary must be an object', typeof vocab);
    for (const [piece, id] of Object.entries(vocab)) {
      if (!isId(id)) throw fail(`the id of "${piece}" must be a whole number below 2^24`, id);
      vocabulary.set(piece, id);
    }
  }
  if (type === 'BPE' && !Array.isArray(model.merges)) throw fail('a BPE model must have merges', model.merges);
  if (type === 'BPE') {
    // The library passes over both, and would give other tokens.
    const {continuing_subword_prefix: prefix, dropout} = model;
    if (prefix) throw fail('a BPE model must have no continuing_subword_prefix', prefix);
    if (dropout) throw fail('a BPE model must have no dropout', dropout);
  }
  const addedTokens = json.added_tokens ?? [];
  if (!Array.isArray(addedTokens)) throw fail('its added_tokens must be an array', addedTokens);
  for (const token of addedTokens) {
    if (!isObject(token) || !isId(token.id) || typeof token.content !== 'string' || token.content === '') {
      throw fail('each of its added_tokens must have an id and a content', token);
    }
    // As above.
    if (token.single_word) throw fail('none of its added_tokens may be a single_word', token);
  }
  return {
    normalizers: spread(json.normalizer, 'normalizers').map(part => checkPart(part, fail)),
    preTokenizers: spread(json.pre_tokenizer, 'pretokenizers').map(part => checkPart(part, fail)),
    model: model as TokenizerDefinition['model'],
    addedTokens: addedTokens as AddedTokenDefinition[],
    vocabulary,
  };
}

function spread(part: unknown, key: string): unknown[] {
  if (part === undefined || part === null) return [];
  if (isObject(part) && part.type === 'Sequence' && Array.isArray(part[key])) {
    return part[key].flatMap((inner: unknown) => spread(inner, key));
  }
  return [part];
}

function checkPart(part: unknown, fail: (rule: string, value: unknown) => ModelError): TokenizerPart {
  if (!isObject(part) || typeof part.type !== 'string') throw fail('each part must be an object with a type', part);
  return part;
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 24;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
