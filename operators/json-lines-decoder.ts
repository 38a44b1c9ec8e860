import {DecodeError} from '../errors.ts';
import type {DeadLetter, DocumentChunk, Line, StreamRecord} from '../pipeline/index.ts';
import type {Decoder} from './decoder.ts';
import {documentId} from './document-id.ts';
import {FieldPath} from './field-path.ts';
import {isBlank} from './is-blank.ts';
import {parseJson} from './parse-json.ts';
import {undecodable} from './undecodable.ts';

const utf8 = new TextEncoder();

export type JsonLinesDecoderOptions = {
  /** Field with a document's id, a string or a number; a dotted path reaches into objects. @default 'id' */
  readonly idField?: string;
  /** Field with a piece of the document's text. @default 'text' */
  readonly textField?: string;
};

/**
 * Decodes JSON Lines: each record is one line, and gives one chunk of the document that its id names.
 *
 * Lines of one document follow one another; the first line with another id ends it. Blank lines mean nothing. Half a
 * surrogate pair in the text becomes U+FFFD.
 */
export class JsonLinesDecoder implements Decoder {
  readonly contiguous = true;
  readonly #id: FieldPath;
  readonly #text: FieldPath;

  /** @throws {TypeError} If a field's path has an empty step. */
  constructor({idField = 'id', textField = 'text'}: JsonLinesDecoderOptions = {}) {
    this.#id = new FieldPath(idField);
    this.#text = new FieldPath(textField);
  }

  decode(record: StreamRecord<Line>): readonly (StreamRecord<DocumentChunk> | DeadLetter)[] {
    const {value, position, timestamp} = record;
    if (isBlank(value.content)) return [];
    try {
      if (value.cut) throw new DecodeError('its line is longer than a line may be: what was read of it ends here');
      const line = parseJson(value.content);
      const key = documentId(this.#id.read(line), `its "${this.#id.name}"`);
      const text = this.#text.read(line);
      if (text === undefined || text === null) throw new DecodeError(`its "${this.#text.name}" is missing`);
      if (typeof text !== 'string') {
        throw new DecodeError(`its "${this.#text.name}" must be a string: current value is a ${typeof text}`);
      }
      return [{key, value: {content: utf8.encode(text), last: false}, position, timestamp}];
    } catch (error) {
      if (error instanceof DecodeError) return [undecodable(record, {reason: error})];
      throw error;
    }
  }
}
