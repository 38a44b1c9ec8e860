import {InvalidArgumentError} from 'commander';

/** Makes a parser of an option that must be a whole number, at least 1 unless `least` is 0; `1e6` is one. */
export function wholeNumber({least = 1}: {readonly least?: 0 | 1} = {}): (value: string) => number {
  return value => {
    const number = Number(value);
    if (value.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number;
    throw new InvalidArgumentError(`It must be a ${least === 0 ? '' : 'positive '}whole number.`);
  };
}
