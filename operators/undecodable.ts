import {DecodeError} from '../errors.ts';
import type {DeadLetter, DocumentChunk, StreamRecord} from '../pipeline/index.ts';

/**
 * The dead letter for a record, or for one line of it.
 *
 * @param reason An error whose message goes on after "Cannot decode … as".
 */
export function undecodable(
  {key, value, position, timestamp}: StreamRecord<DocumentChunk>,
  {reason, content = value.content, line}: {reason: DecodeError; content?: Uint8Array; line?: number},
): DeadLetter {
  const where = `the record at offset ${position.offset} of "${position.partition}"`;
  const what = line === undefined ? where : `line ${line} of ${where}`;
  const error = new DecodeError(`Cannot decode ${what} as ${reason.message}`, {cause: reason.cause});
  return {key, position, timestamp, content, last: value.last, error};
}
