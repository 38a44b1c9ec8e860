import {parseArgs} from 'node:util';
import type {BenchProgram, ProgramOption, ProgramValues} from './bench-program.ts';
import {wholeNumberOption} from './whole-number-option.ts';

export type ProgramArguments<Options extends Readonly<Record<string, ProgramOption>>> = {
  readonly values: ProgramValues<Options>;
  readonly names: readonly string[];
  /** What to print in place of measuring, if that was asked for. */
  readonly help: string | undefined;
};

/**
 * Reads the arguments of a program that measures.
 *
 * @throws {TypeError | RangeError} If an argument is unknown or its value is not allowed.
 */
export function parseProgram<const Options extends Readonly<Record<string, ProgramOption>>>(
  program: BenchProgram<Options>,
  args: readonly string[],
): ProgramArguments<Options> {
  const {options, names = []} = program;
  const texts = Object.keys(options).map(name => [name, {type: 'string'}] as const);
  const {values, positionals} = parseArgs({
    args: [...args],
    options: {...Object.fromEntries(texts), help: {type: 'boolean', default: false}},
    allowPositionals: names.length > 0,
  });
  const strange = positionals.find(name => !names.includes(name));
  if (strange !== undefined) {
    throw new RangeError(`Cannot measure as names must be of ${names.join(', ')}: current value is "${strange}"`);
  }
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const entries = Object.entries(options).map(([name, {kind, default: usual, least, choices}]) => {
    const text = given[name];
    if (typeof text !== 'string') return [name, usual];
    if (choices?.includes(text) === false) {
      throw new RangeError(
        `Cannot measure as --${name} must be one of ${choices.join(', ')}: current value is "${text}"`,
      );
    }
    return [name, kind === 'number' ? wholeNumberOption(`--${name}`, text, {least}) : text];
  });
  return {
    values: Object.fromEntries(entries) as ProgramValues<Options>,
    names: positionals,
    help: values.help === true ? helpOf(program) : undefined,
  };
}

function helpOf({command, about, options, names, notes}: BenchProgram<Record<string, ProgramOption>>): string {
  const rows = Object.entries(options).map(([name, {value, default: usual, about: what}]) => [
    `--${name} <${value}>`,
    usual === undefined ? what : `${what} (default: ${usual})`,
  ]);
  rows.push(['--help', 'print this']);
  const width = Math.max(...rows.map(([option]) => option!.length));
  const lines = rows.map(([option, what]) => `  ${option!.padEnd(width)} ${what}`);
  const usage = `Usage: ${command} -- [options]${names === undefined ? '' : ' [names]'}`;
  const choices = names === undefined ? [] : [`Names of what to measure, all without any: ${names.join(', ')}`];
  return [usage, about, ...choices, lines.join('\n'), ...(notes === undefined ? [] : [notes])].join('\n\n');
}
