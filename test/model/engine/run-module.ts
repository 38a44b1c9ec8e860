import {execFile} from 'node:child_process';

/** How to run a module. */
export type RunModuleOptions = {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
};

/** What a module wrote and how it ended. */
export type RunModuleResult = {readonly stdout: string; readonly stderr: string; readonly code: number};

/** Runs the text of an ES module in a Node process of its own. */
export function runModule(
  text: string,
  {env = {}, cwd = process.cwd()}: RunModuleOptions = {},
): Promise<RunModuleResult> {
  const args = ['--input-type=module', '--eval', text];
  return new Promise(resolve => {
    execFile(process.execPath, args, {cwd, env: {...process.env, ...env}}, (error, stdout, stderr) => {
      resolve({stdout, stderr, code: error === null ? 0 : Number(error.code ?? 1)});
    });
  });
}
