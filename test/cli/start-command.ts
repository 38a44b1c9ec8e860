import {type ChildProcess, spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export type CommandOptions = {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; without it, it is at its end. `pipe` leaves it open for writing. */
  readonly input?: string | Uint8Array | 'pipe';
  /** A command that runs it, such as ["sh", "-c", 'exec "$@"', "sh"]. */
  readonly within?: readonly string[];
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
};

/** How a command ended, and what it wrote. */
export type CommandResult = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A command that runs. */
export type StartedCommand = {
  readonly process: ChildProcess;
  readonly ended: Promise<CommandResult>;
  /** Resolves once standard error holds a text; rejects if the command ends before. */
  readonly says: (text: string) => Promise<void>;
  /** What standard error holds so far. */
  readonly said: () => string;
};

/** Starts the real binary in a process of its own. */
export function startCommand(
  args: readonly string[],
  {cwd, env = {}, input = '', within = [], nodeOptions = []}: CommandOptions,
): StartedCommand {
  const [command, ...rest] = [...within, process.execPath, ...nodeOptions, program, ...args] as [string, ...string[]];
  const child = spawn(command, rest, {cwd, env: {...process.env, ...env}});
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', piece => stdout.push(piece));
  child.stderr.setEncoding('utf8').on('data', piece => {
    stderr += piece;
  });
  // A command may end without having read its input.
  child.stdin.on('error', () => {});
  if (input !== 'pipe') child.stdin.end(input);
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({code, signal, stdout: Buffer.concat(stdout).toString(), stderr}));
  });
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => stderr.includes(text) && resolve();
      child.stderr.on('data', look);
      ended.then(() => reject(new Error(`The command ended without saying "${text}": ${stderr}`)), reject);
      look();
    });
  return {process: child, ended, says, said: () => stderr};
}
