import type {BenchProgram, ProgramOption} from './bench-program.ts';
import {type ProgramArguments, parseProgram} from './parse-program.ts';

/** Reads this process's arguments; ends it, before anything is measured, with the help if that is asked for, or with what is wrong. */
export function readProgram<const Options extends Readonly<Record<string, ProgramOption>>>(
  program: BenchProgram<Options>,
): Pick<ProgramArguments<Options>, 'values' | 'names'> {
  try {
    const {values, names, help} = parseProgram(program, process.argv.slice(2));
    if (help === undefined) return {values, names};
    console.log(help);
    process.exit(0);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
