import {parseArgs} from 'node:util';
import {type BenchCell, benchCells} from './bench-cell.ts';
import {type Contender, contenders} from './contender.ts';
import {wholeNumberOption} from './whole-number-option.ts';

export type BenchOptions = {
  readonly help: boolean;
  readonly cells: readonly BenchCell[];
  readonly contenders: readonly Contender[];
  /** How many times each contender of a cell has its turn. */
  readonly rounds: number;
  /** Where to write the rows as JSON. */
  readonly json: string | undefined;
};

export const benchHelp = `Usage: npm run bench -- [options]

Measures inference of this project's model and of its peers side by side, on all cores.

  --only <cells>       cells to measure, such as A8,B1 (default: ${benchCells.map(({name}) => name).join(',')})
  --contenders <names> who takes part (default: ${names(contenders).join(',')})
  --rounds <number>    turns of each contender in a cell; medians are printed (default: 5)
  --json <file>        also write the rows to a file
  --help               print this

The peers run in a Python environment of their own, made at the first run from bench/peers/requirements.txt and
kept under PALIMPSEST_CACHE, else ~/.cache/palimpsest. It needs python3, or the interpreter that PYTHON names.`;

/**
 * Reads the arguments of the benchmark.
 *
 * @throws {TypeError | RangeError} If an argument is unknown or its value is not allowed.
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const {values} = parseArgs({
    args: [...args],
    options: {
      only: {type: 'string'},
      contenders: {type: 'string'},
      rounds: {type: 'string', default: '5'},
      json: {type: 'string'},
      help: {type: 'boolean', default: false},
    },
  });
  return {
    help: values.help,
    cells: pick('--only', values.only, benchCells),
    contenders: pick('--contenders', values.contenders, contenders),
    rounds: wholeNumberOption('--rounds', values.rounds),
    json: values.json,
  };
}

/** Those of the choices that the comma-separated list names, in the order of the choices; all if there is no list. */
function pick<T extends {readonly name: string}>(
  option: string,
  list: string | undefined,
  choices: readonly T[],
): readonly T[] {
  if (list === undefined) return choices;
  const wanted = list.split(',').map(name => name.trim());
  const strange = wanted.find(name => !choices.some(choice => choice.name === name));
  if (strange !== undefined) {
    throw new RangeError(
      `Cannot measure as ${option} must name some of ${names(choices).join(', ')}: current value is "${strange}"`,
    );
  }
  return choices.filter(({name}) => wanted.includes(name));
}

function names(choices: readonly {readonly name: string}[]): string[] {
  return [...new Set(choices.map(({name}) => name))];
}
