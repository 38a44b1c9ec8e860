import {DecodeError} from '../errors.ts';

const utf8 = new TextDecoder('utf-8', {fatal: true});

/**
 * Parses the UTF-8 text of one JSON value; a byte order mark before it is left out.
 *
 * @throws {DecodeError} If it is not well-formed UTF-8 or not JSON.
 */
export function parseJson(content: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(content);
  } catch (cause) {
    throw new DecodeError('it is not well-formed UTF-8', {cause});
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError(`it is not JSON: ${(cause as SyntaxError).message}`, {cause});
  }
}
