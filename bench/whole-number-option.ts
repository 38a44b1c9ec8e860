/**
 * Reads the value of an option that must be a whole number.
 *
 * @param options.least @default 1
 * @throws {RangeError} If it is none, or less.
 */
export function wholeNumberOption(
  option: string,
  value: string,
  {least = 1}: {readonly least?: number | undefined} = {},
): number {
  const number = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number;
  const rule = least === 1 ? 'a positive integer' : `an integer of at least ${least}`;
  throw new RangeError(`Cannot measure as ${option} must be ${rule}: current value is "${value}"`);
}
