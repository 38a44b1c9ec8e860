/**
 * Refuses what UTF-8 cannot carry; any other string, empty or long, names a document, partition or output.
 *
 * @throws {TypeError} If it is not a string.
 * @throws {RangeError} If it holds half a surrogate pair.
 */
export function checkName(kind: 'document' | 'partition' | 'output', name: string): void {
  if (typeof name !== 'string') {
    throw new TypeError(`Cannot store the ${kind} as its name must be a string: current type is ${typeof name}`);
  }
  if (/\p{Surrogate}/u.test(name)) {
    throw new RangeError(
      `Cannot store the ${kind} as its name must be well-formed Unicode: current value is ${JSON.stringify(name)}`,
    );
  }
}
