import {createHash} from 'node:crypto';
import {TransformStream} from 'node:stream/web';
import {Packr} from 'msgpackr';
import {Checkpoint, type Element, type Message, type StreamRecord} from '../pipeline/index.ts';
import type {Embedding} from './embedding.ts';
import {embeddingJson} from './embedding-json.ts';

/** What results can be written as. */
export const resultFormats = ['json', 'msgpack'] as const;

/** One of {@link resultFormats}. */
export type ResultFormat = (typeof resultFormats)[number];

export type EncodeMessageStreamOptions = {
  /**
   * `json` as {@link EncodeStream} writes it without the line feed; `msgpack` is a map of the same fields with `embedding` as the bytes of
   * little-endian float32 numbers.
   *
   * @default 'json'
   */
  readonly format?: ResultFormat;
  /** Adds the headers of a CloudEvent in binary mode, with this URI as its source. @default none */
  readonly cloudEventsSource?: string | undefined;
};

/** The last time that a date can hold, in milliseconds. */
const latestDate = 8.64e15;
const packr = new Packr({useRecords: false});
const contentTypes = {json: 'application/json', msgpack: 'application/msgpack'} as const;

/**
 * Turns embeddings into messages. Their headers say what they were made of: `palimpsest-id` is the same whenever the same model makes
 * the same result of the same document at the same record again, `palimpsest-position` is that record, `palimpsest-model` the model's fingerprint.
 */
export class EncodeMessageStream extends TransformStream<
  Element<StreamRecord<Embedding>>,
  Element<StreamRecord<Message>>
> {
  /** @throws {RangeError} If `format` is unknown. */
  constructor({format = 'json', cloudEventsSource}: EncodeMessageStreamOptions = {}) {
    if (!resultFormats.includes(format)) {
      throw new RangeError(
        `Cannot encode messages as format must be one of ${resultFormats.join(', ')}: current value is "${format}"`,
      );
    }
    const utf8 = new TextEncoder();
    super({
      transform(element, controller) {
        if (element instanceof Checkpoint) return controller.enqueue(element);
        const {value: embedding, position, timestamp} = element;
        const {segments, final, model} = embedding;
        const end = `${position.partition}@${position.offset}`;
        const id = `${model.fingerprint}:${end}:${digestOf(embedding.id)}:${segments}${final ? ':final' : ''}`;
        const headers: Record<string, string> = {
          'content-type': contentTypes[format],
          'palimpsest-id': id,
          'palimpsest-model': model.fingerprint,
          'palimpsest-position': end,
        };
        if (cloudEventsSource !== undefined) {
          headers.ce_specversion = '1.0';
          headers.ce_id = id;
          headers.ce_source = cloudEventsSource;
          headers.ce_type = final ? 'palimpsest.embedding.document' : 'palimpsest.embedding.segment';
          // Kafka takes any 64 bits for a timestamp; the attribute may be left out.
          if (Math.abs(timestamp) <= latestDate) headers.ce_time = new Date(timestamp).toISOString();
        }
        const value = format === 'json' ? utf8.encode(embeddingJson(embedding)) : packed(embedding);
        controller.enqueue({...element, value: {value, headers}});
      },
    });
  }
}

/** Of bounded length, whatever the document is called; a record may hold text of several. */
function digestOf(documentId: string): string {
  return createHash('sha256').update(documentId).digest('base64url').slice(0, 22);
}

function packed({id, vector, parts, tokens, segments, bitsPerByte, final, model}: Embedding): Uint8Array {
  const embedding = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  const {name, fingerprint} = model;
  const fields = {id, embedding, dimension: vector.length, ...(parts && {parts}), tokens, segments, bitsPerByte, final};
  // A copy, as msgpackr gives out a part of a larger buffer of its own.
  return Uint8Array.from(packr.pack({...fields, model: {name, fingerprint}}));
}
