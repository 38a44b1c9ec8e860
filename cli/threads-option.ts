import {InvalidArgumentError, Option} from 'commander';
import {mostThreads} from './most-threads.ts';
import {wholeNumber} from './whole-number.ts';

/** The option `--threads`. */
export function threadsOption(): Option {
  const parse = wholeNumber();
  return new Option('--threads <number>', 'threads of the native engine (default: all)').argParser((value: string) => {
    const threads = parse(value);
    if (threads > mostThreads) throw new InvalidArgumentError(`It must be at most ${mostThreads}.`);
    return threads;
  });
}
