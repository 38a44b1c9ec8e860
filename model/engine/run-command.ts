import {spawn} from 'node:child_process';

/** How to run a command. */
export type RunCommandOptions = {
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of the standard output as it comes. */
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs a program without a shell, and waits until it has ended, also when aborted.
 *
 * @param command The program, then its arguments.
 * @returns What it wrote to its standard output.
 * @throws {Error} If it is not there or fails, with the end of what it wrote to its standard error; the signal's reason if aborted.
 */
export async function runCommand(
  [program, ...rest]: readonly [string, ...string[]],
  {env = {}, onOutput, signal}: RunCommandOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  const child = spawn(program, rest, {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env}});
  const stop = () => child.kill();
  signal?.addEventListener('abort', stop, {once: true});
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`"${[program, ...rest.slice(0, 3)].join(' ')} …" failed: ${errors.trim()}`);
    return output;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
