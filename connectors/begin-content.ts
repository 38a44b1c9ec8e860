import {SourceError} from '../errors.ts';
import type {InputBuffer} from './input-buffer.ts';
import {looksBinary} from './looks-binary.ts';

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const JUDGED_BYTES = 4096;

/**
 * Passes over a byte order mark.
 *
 * @throws {SourceError} If the content does not look like text, unless it may be binary.
 */
export async function beginContent(
  buffer: InputBuffer,
  {name, allowBinary}: {readonly name: string; readonly allowBinary: boolean},
): Promise<void> {
  // Whatever the first read gives is enough to judge: more of a terminal's input may be slow to come.
  await buffer.fill(1);
  const looks = allowBinary ? undefined : looksBinary(buffer.peek(JUDGED_BYTES));
  if (looks !== undefined) {
    const what =
      looks === 'UTF-16'
        ? 'UTF-16 text: convert it to UTF-8 first'
        : 'a binary file: extract its text first, or allow binary content';
    throw new SourceError(`Cannot read "${name}" as text as it looks like ${what}`);
  }
  if (buffer.peek(1)[0] !== BYTE_ORDER_MARK[0]) return;
  await buffer.fill(BYTE_ORDER_MARK.length);
  const start = buffer.peek(BYTE_ORDER_MARK.length);
  if (BYTE_ORDER_MARK.every((byte, index) => start[index] === byte)) buffer.drop(BYTE_ORDER_MARK.length);
}
