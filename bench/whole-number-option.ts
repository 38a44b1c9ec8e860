/**
 * Reads the value of an option that must be a positive whole number.
 *
 * @throws {RangeError} If it is another.
 */
export function wholeNumberOption(option: string, value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`Cannot measure as ${option} must be a positive integer: current value is "${value}"`);
}
