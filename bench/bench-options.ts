import {type BenchCell, benchCells} from './bench-cell.ts';
import type {BenchProgram, ProgramOption} from './bench-program.ts';
import {type Contender, contenders} from './contender.ts';
import {parseProgram} from './parse-program.ts';

export type BenchOptions = {
  /** What to print in place of measuring, if that was asked for. */
  readonly help: string | undefined;
  readonly cells: readonly BenchCell[];
  readonly contenders: readonly Contender[];
  /** How many times each contender of a cell has its turn. */
  readonly rounds: number;
  /** Where to write the rows as JSON. */
  readonly json: string | undefined;
};

const program = {
  command: 'npm run bench',
  about: "Measures inference of this project's model and of its peers side by side, on all cores.",
  options: {
    only: {
      kind: 'text',
      value: 'cells',
      about: `cells to measure, such as A8,B1 (default: ${names(benchCells).join(',')})`,
    },
    contenders: {kind: 'text', value: 'names', about: `who takes part (default: ${names(contenders).join(',')})`},
    rounds: {
      kind: 'number',
      default: 5,
      value: 'number',
      about: 'turns of each contender in a cell; medians are printed',
    },
    json: {kind: 'text', value: 'file', about: 'also write the rows to a file'},
  },
  notes: `The peers run in a Python environment of their own, made at the first run from bench/peers/requirements.txt and
kept under PALIMPSEST_CACHE, else ~/.cache/palimpsest. It needs python3, or the interpreter that PYTHON names.`,
} as const satisfies BenchProgram<Record<string, ProgramOption>>;

/**
 * Reads the arguments of the benchmark.
 *
 * @throws {TypeError | RangeError} If an argument is unknown or its value is not allowed.
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const {values, help} = parseProgram(program, args);
  return {
    help,
    cells: pick('--only', values.only, benchCells),
    contenders: pick('--contenders', values.contenders, contenders),
    rounds: values.rounds,
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
