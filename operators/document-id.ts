import {DecodeError} from '../errors.ts';

/**
 * A document's id from the value of its field.
 *
 * @param field How to call the field in a message.
 * @throws {DecodeError} If the value is neither a string nor a number that keeps its digits, or cannot be a key.
 */
export function documentId(value: unknown, field: string): string {
  if (value === undefined || value === null) throw new DecodeError(`${field} is missing`);
  if (typeof value === 'number') {
    // Beyond it, neighbouring ids become one number when JSON is parsed, and two documents one.
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new DecodeError(
        `${field} is a number that loses digits, which a string would keep: current value is ${value}`,
      );
    }
    return String(value);
  }
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') {
    const kind = Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : String(value);
    throw new DecodeError(`${field} must be a string or a number: current value is ${kind}`);
  }
  if (value === '') throw new DecodeError(`${field} is empty`);
  if (/\p{Surrogate}/u.test(value)) {
    throw new DecodeError(
      `${field} holds half a surrogate pair: current value is ${JSON.stringify(value).slice(0, 80)}`,
    );
  }
  return value;
}
