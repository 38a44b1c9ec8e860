import {DecodeError} from '../errors.ts';

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/**
 * A column of a line, columns being separated by runs of ASCII white space.
 *
 * @param column Counted from 1.
 * @returns `undefined` if the line has fewer columns.
 * @throws {DecodeError} If the column is not well-formed UTF-8; other columns may be.
 */
export function lineColumn(line: Uint8Array, column: number): string | undefined {
  let start = 0;
  for (let number = 1; ; number++) {
    while (start < line.length && isSpace(line[start]!)) start++;
    if (start === line.length) return undefined;
    let end = start;
    while (end < line.length && !isSpace(line[end]!)) end++;
    if (number === column) return decode(line.subarray(start, end), column);
    start = end;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function decode(content: Uint8Array, column: number): string {
  try {
    return utf8.decode(content);
  } catch (cause) {
    throw new DecodeError(`its column ${column} is not well-formed UTF-8`, {cause});
  }
}
