import {Command, Option} from 'commander';
import {engineNames} from '../model/engine/engine.ts';
import type {DoctorOptions} from './run-doctor.ts';
import {threadsOption} from './threads-option.ts';

/** `palimpsest doctor`: shows what this machine computes and stores with, and how to get what is missing. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Show what this machine computes and stores with, and how to get what is missing')
    .addOption(new Option('--engine <name>', 'engine to examine').choices(['auto', ...engineNames]).default('auto'))
    .addOption(threadsOption())
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  $ palimpsest doctor\n  $ palimpsest doctor --engine wasm --json')
    .action(async (options: DoctorOptions) => {
      const {runDoctor} = await import('./run-doctor.ts');
      await runDoctor(options);
    });
}
