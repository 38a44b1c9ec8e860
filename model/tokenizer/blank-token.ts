import {ModelError} from '../../errors.ts';
import {byteCharacters} from './byte-characters.ts';
import type {TokenizerDefinition} from './tokenizer-definition.ts';

/**
 * The id of the unknown token, or of a space if there is none: it stands for text that gives no token.
 *
 * @throws {ModelError} If the tokenizer has neither, or its unknown token is not in its vocabulary.
 */
export function blankToken({model, vocabulary, addedTokens}: TokenizerDefinition, path: string): number {
  const fail = (rule: string, current: unknown): ModelError =>
    new ModelError(`Cannot load "${path}" as ${rule}: current value is ${current}; use another tokenizer`);
  if (model.type === 'Unigram') {
    const id = model.unk_id;
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabulary.size) return id;
    throw fail('the unk_id of a Unigram model must be in its vocabulary', id);
  }
  const unknown = model.unk_token;
  if (typeof unknown === 'string') {
    const id = addedTokens.find(({content}) => content === unknown)?.id ?? vocabulary.get(unknown);
    if (id === undefined) throw fail('its unk_token must be in its vocabulary', unknown);
    return id;
  }
  for (const space of [byteCharacters[0x20]!, '<0x20>', '\u2581', ' ']) {
    const id = vocabulary.get(space);
    if (id !== undefined) return id;
  }
  throw fail('it must have an unknown token, or a token for a space', unknown);
}
