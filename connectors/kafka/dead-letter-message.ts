import type {DeadLetter} from '../../pipeline/dead-letters.ts';
import type {FetchedMessage, OutgoingMessage} from './kafka-client.ts';
import {endHeader} from './partition-source.ts';

/** Says of a message in the dead letters that the letter at this offset of its partition was replayed. */
export const replayedHeader = 'palimpsest-replayed';

/** A dead letter as a topic keeps it. */
export type StoredDeadLetter = {
  readonly key: string;
  /** Where the record lay that could not be decoded, as `<topic>/<partition>@<offset>`. */
  readonly source: string;
  /** Event time of that record. */
  readonly timestamp: number;
  readonly content: Uint8Array;
  readonly last: boolean;
  readonly errorName: string;
  readonly message: string;
};

export function deadLetterMessage({key, position, timestamp, content, last, error}: DeadLetter): OutgoingMessage {
  return {
    key,
    value: content,
    timestamp,
    headers: {
      'palimpsest-error': error.message,
      'palimpsest-error-name': error.name,
      'palimpsest-position': `${position.partition}@${position.offset}`,
      ...(last && {[endHeader]: '1'}),
    },
  };
}

/** The dead letter that a message is, or `undefined` if it is none. */
export function parseDeadLetterMessage({key, value, headers, timestamp}: FetchedMessage): StoredDeadLetter | undefined {
  const source = headers['palimpsest-position'];
  if (source === undefined || value === undefined) return undefined;
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
  return {
    key: text(key),
    source: text(source),
    timestamp,
    content: value,
    last: endHeader in headers,
    errorName: text(headers['palimpsest-error-name']),
    message: text(headers['palimpsest-error']),
  };
}
