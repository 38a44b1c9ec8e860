import {createHash} from 'node:crypto';
import {access, mkdir, readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {runCommand} from '../model/engine/run-command.ts';

export type PythonEnvironmentOptions = {
  /** A file that pip reads. */
  readonly requirements: string;
  /** Where environments are kept, one for each content of the requirements. */
  readonly cache: string;
  /** Called once if the environment has to be made. */
  readonly onBuild?: (folder: string) => void;
};

const oldestPython = '3.11';

/**
 * The Python interpreter of an environment with the required packages, made if it is not there yet.
 *
 * @throws {Error} If there is no suitable Python, or pip fails.
 */
export async function pythonEnvironment({requirements, cache, onBuild}: PythonEnvironmentOptions): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cache, `bench-${hash}`);
  const python = join(folder, 'bin', 'python');
  if (await exists(python)) return python;
  onBuild?.(folder);
  const unfinished = `${folder}.unfinished-${process.pid}`;
  await mkdir(cache, {recursive: true});
  try {
    await runCommand([await findPython(), '-m', 'venv', unfinished]);
    // Calls through "python -m", since scripts of an environment hold its path and this one moves.
    await runCommand([join(unfinished, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '-r', requirements]);
    await rename(unfinished, folder).catch(async error => {
      // Another run was faster.
      if (!(await exists(python))) throw error;
    });
  } finally {
    await rm(unfinished, {recursive: true, force: true});
  }
  return python;
}

async function findPython(): Promise<string> {
  const python = process.env.PYTHON ?? 'python3';
  const [major, minor] = oldestPython.split('.');
  const check = `import sys, venv; sys.exit(sys.version_info < (${major}, ${minor}))`;
  try {
    await runCommand([python, '-c', check]);
  } catch (cause) {
    throw new Error(
      `Cannot run the peers as Python ${oldestPython} or newer with venv is needed: current value is "${python}"; name another with PYTHON`,
      {cause},
    );
  }
  return python;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
