import {DecodeError, PipelineError} from '../errors.ts';
import type {DeadLetter, DocumentChunk, Line, Progress, StreamRecord} from '../pipeline/index.ts';
import type {Decoder} from './decoder.ts';
import {documentId} from './document-id.ts';
import {FieldPath} from './field-path.ts';
import {isBlank} from './is-blank.ts';
import {lineColumn} from './line-column.ts';
import {parseJson} from './parse-json.ts';
import {undecodable} from './undecodable.ts';

const NEWLINE = 0x0a;

export type KeyedLinesDecoderOptions = {
  /** What keys a line: a field of the JSON object that the line is (dotted path), or the number of a white-space-separated column, counted from 1. */
  readonly idField: string | number;
  /** Where an interrupted run had got to: from records that it covers only the keys are learnt. */
  readonly progress?: Progress | undefined;
  /** Documents that may be open at once. @default 1_000_000 */
  readonly maxKeys?: number;
};

/**
 * Decodes log lines: each record is a run of whole lines, and gives one chunk per key with that key's lines in order.
 *
 * Any line may belong to any document, so all of a partition's documents end at its end: those without a line in its last
 * record get an empty chunk. On resuming, the source therefore reads a partition from its start again. Blank lines belong
 * to no document.
 */
export class KeyedLinesDecoder implements Decoder {
  readonly contiguous = false;
  readonly #idOf: (line: Uint8Array) => string;
  readonly #progress: Progress | undefined;
  readonly #maxKeys: number;
  /** Keys in order of first appearance, by partition. */
  readonly #keys = new Map<string, Set<string>>();
  #keyCount = 0;

  /** @throws {TypeError | RangeError} If `idField` is neither a dotted path nor a positive integer, or `maxKeys` no positive integer. */
  constructor({idField, progress, maxKeys = 1_000_000}: KeyedLinesDecoderOptions) {
    if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
      throw new RangeError(`Cannot decode lines as maxKeys must be a positive integer: current value is ${maxKeys}`);
    }
    if (typeof idField === 'number') {
      if (!Number.isSafeInteger(idField) || idField < 1) {
        throw new RangeError(`Cannot decode lines as a column must be a positive integer: current value is ${idField}`);
      }
      this.#idOf = line => documentId(lineColumn(line, idField), `its column ${idField}`);
    } else {
      const path = new FieldPath(idField);
      this.#idOf = line => documentId(path.read(parseJson(line)), `its "${path.name}"`);
    }
    this.#progress = progress;
    this.#maxKeys = maxKeys;
  }

  /** @throws {PipelineError} If there are more than `maxKeys` keys. */
  decode(record: StreamRecord<Line>): readonly (StreamRecord<DocumentChunk> | DeadLetter)[] {
    const {value, position, timestamp} = record;
    const {lines, letters} = this.#split(record);
    for (const key of lines.keys()) this.#remember(position.partition, key);

    const nextOffset = this.#progress?.partitions.get(position.partition)?.nextOffset;
    const covered = nextOffset !== undefined && position.offset < nextOffset;
    const keys = value.last ? this.#forget(position.partition) : lines.keys();
    if (covered) return [];
    const records: StreamRecord<DocumentChunk>[] = [];
    for (const key of keys) {
      records.push({key, value: {content: join(lines.get(key) ?? []), last: value.last}, position, timestamp});
    }
    return [...letters, ...records];
  }

  #split(record: StreamRecord<Line>): {lines: Map<string, Uint8Array[]>; letters: DeadLetter[]} {
    const {content, cut} = record.value;
    const lines = new Map<string, Uint8Array[]>();
    const letters: DeadLetter[] = [];
    if (cut) {
      const reason = new DecodeError('its line is longer than a line may be: what was read of it ends here');
      return {lines, letters: [undecodable(record, {reason})]};
    }
    for (let start = 0, number = 1; start < content.length; number++) {
      const newline = content.indexOf(NEWLINE, start);
      const end = newline === -1 ? content.length : newline + 1;
      const line = content.subarray(start, end);
      start = end;
      if (isBlank(line)) continue;
      try {
        const key = this.#idOf(line);
        const known = lines.get(key);
        if (known === undefined) lines.set(key, [line]);
        else known.push(line);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        letters.push(undecodable(record, {reason: error, content: line, line: number}));
      }
    }
    return {lines, letters};
  }

  #remember(partition: string, key: string): void {
    let keys = this.#keys.get(partition);
    if (keys === undefined) {
      keys = new Set();
      this.#keys.set(partition, keys);
    }
    if (keys.has(key)) return;
    if (this.#keyCount === this.#maxKeys) {
      throw new PipelineError(
        `Cannot start document "${key}" of "${partition}" as at most ${this.#maxKeys} may be open at once: choose an id field with fewer values; in code, raise maxKeys`,
      );
    }
    keys.add(key);
    this.#keyCount++;
  }

  #forget(partition: string): Iterable<string> {
    const keys = this.#keys.get(partition) ?? new Set<string>();
    this.#keys.delete(partition);
    this.#keyCount -= keys.size;
    return keys;
  }
}

function join(lines: readonly Uint8Array[]): Uint8Array {
  const content = new Uint8Array(lines.reduce((length, line) => length + line.length, 0));
  let length = 0;
  for (const line of lines) {
    content.set(line, length);
    length += line.length;
  }
  return content;
}
