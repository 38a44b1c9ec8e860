import {Unpackr} from 'msgpackr';
import {DecodeError} from '../errors.ts';
import type {DeadLetter, DocumentChunk, StreamRecord} from '../pipeline/index.ts';
import type {Decoder} from './decoder.ts';
import {documentId} from './document-id.ts';
import {FieldPath} from './field-path.ts';
import {parseJson} from './parse-json.ts';
import {undecodable} from './undecodable.ts';

const utf8 = new TextEncoder();
const unpackr = new Unpackr({useRecords: false});

/** What the values of messages can be. */
export const messageFormats = ['raw', 'json', 'msgpack'] as const;

/** One of {@link messageFormats}. */
export type MessageFormat = (typeof messageFormats)[number];

export type MessageDecoderOptions = {
  /**
   * What the values of messages are: text as it is, or an object of JSON or MessagePack with the text in one of its fields.
   *
   * @default 'raw'
   */
  readonly format?: MessageFormat;
  /** Field with the text, or in MessagePack its bytes; a dotted path reaches into objects. @default 'text' */
  readonly textField?: string;
  /** Field with the document's id, a string or a number. @default the key of the message is the id */
  readonly idField?: string | undefined;
};

/** Decodes messages: each gives one chunk of the document that its key names, or a field of it. */
export class MessageDecoder implements Decoder {
  readonly contiguous = false;
  readonly #format: MessageFormat;
  readonly #text: FieldPath;
  readonly #id: FieldPath | undefined;

  /**
   * @throws {TypeError} If a field's path has an empty step.
   * @throws {RangeError} If `format` is unknown, or raw values are to have an id.
   */
  constructor({format = 'raw', textField = 'text', idField}: MessageDecoderOptions = {}) {
    if (!messageFormats.includes(format)) {
      throw new RangeError(
        `Cannot decode messages as format must be one of ${messageFormats.join(', ')}: current value is "${format}"`,
      );
    }
    if (format === 'raw' && idField !== undefined) {
      throw new RangeError(
        `Cannot decode messages as raw values have no fields: idField is "${idField}"; choose format json or msgpack`,
      );
    }
    this.#format = format;
    this.#text = new FieldPath(textField);
    this.#id = idField === undefined ? undefined : new FieldPath(idField);
  }

  decode(record: StreamRecord<DocumentChunk>): readonly (StreamRecord<DocumentChunk> | DeadLetter)[] {
    try {
      const {content, last, forget} = record.value;
      // A tombstone has no fields: its key is all there is.
      if (forget || this.#format === 'raw') return [{...record, key: documentId(record.key, 'its key')}];
      // What ends a document need not bring text.
      if (last && content.length === 0 && this.#id === undefined)
        return [{...record, key: documentId(record.key, 'its key')}];
      const value = this.#format === 'json' ? parseJson(content) : unpack(content);
      const key =
        this.#id === undefined
          ? documentId(record.key, 'its key')
          : documentId(this.#id.read(value), `its "${this.#id.name}"`);
      return [{...record, key, value: {content: this.#textOf(value), last}}];
    } catch (error) {
      if (error instanceof DecodeError) return [undecodable(record, {reason: error})];
      throw error;
    }
  }

  #textOf(value: unknown): Uint8Array {
    const text = this.#text.read(value);
    if (text instanceof Uint8Array) return text;
    if (typeof text === 'string') return utf8.encode(text);
    throw new DecodeError(
      text === undefined || text === null
        ? `its "${this.#text.name}" is missing`
        : `its "${this.#text.name}" must be a string: current value is a ${typeof text}`,
    );
  }
}

function unpack(content: Uint8Array): unknown {
  try {
    // A copy, as content may be a part of a larger buffer, and what is truncated must not be read on into its neighbour.
    return unpackr.unpack(Uint8Array.from(content));
  } catch (cause) {
    throw new DecodeError(`it is not MessagePack: ${(cause as Error).message}`, {cause});
  }
}
