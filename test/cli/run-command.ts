import {type CommandOptions, type CommandResult, startCommand} from './start-command.ts';

/** Runs the real binary in a process of its own, to its end. */
export function runCommand(args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return startCommand(args, options).ended;
}
