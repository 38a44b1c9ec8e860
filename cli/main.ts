#!/usr/bin/env node
import {readFile} from 'node:fs/promises';
import {Command, CommanderError} from 'commander';
import {deadLettersCommand} from './dead-letters.ts';
import {doctorCommand} from './doctor.ts';
import {embedCommand} from './embed.ts';
import {evaluateCommand} from './evaluate.ts';
import {exitCodes} from './exit-codes.ts';
import {exportCommand} from './export.ts';
import {initCommand} from './init.ts';
import {inspectCommand} from './inspect.ts';
import {nativeCommand} from './native.ts';
import {reportError} from './report-error.ts';
import {runCommand} from './run.ts';
import {summaryCommand} from './summary.ts';
import {tokenizerCommand} from './tokenizer.ts';
import {trainCommand} from './train.ts';
import {validateCommand} from './validate.ts';

const {version, description} = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  description: string;
};

const program = new Command('palimpsest')
  .description(description)
  .version(version)
  .addCommand(embedCommand())
  .addCommand(runCommand())
  .addCommand(validateCommand())
  .addCommand(deadLettersCommand())
  .addCommand(inspectCommand())
  .addCommand(initCommand())
  .addCommand(trainCommand())
  .addCommand(evaluateCommand())
  .addCommand(exportCommand())
  .addCommand(tokenizerCommand())
  .addCommand(summaryCommand())
  .addCommand(doctorCommand())
  .addCommand(nativeCommand());
configure(program);

// Whoever reads may go before a command, or its help, has been written. What must be written finds out by itself.
process.stdout.on(
  'error',
  passOver(() => {
    process.exitCode = exitCodes.outputClosed;
  }),
);
process.stderr.on(
  'error',
  passOver(() => {}),
);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode ??= error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
  else process.exitCode = reportError(error);
}

/** Commands that were made apart inherit nothing from one another. */
function configure(command: Command): void {
  command.exitOverride().showHelpAfterError('Add --help for what is possible.');
  command.commands.forEach(configure);
}

/** Listens to the errors of a stream: those of a reader that has gone end nothing. */
function passOver(onClosed: () => void): (error: NodeJS.ErrnoException) => void {
  return error => {
    if (error.code !== 'EPIPE') throw error;
    onClosed();
  };
}
