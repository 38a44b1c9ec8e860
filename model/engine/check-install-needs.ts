import {EngineUnavailableError} from '../../errors.ts';
import {runCommand} from './run-command.ts';

type Need = {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly debian: string;
  readonly fedora: string;
};

const needs: readonly Need[] = [
  {name: 'python3', command: ['python3', '--version'], debian: 'python3', fedora: 'python3'},
  {name: 'pip', command: ['python3', '-m', 'pip', '--version'], debian: 'python3-pip', fedora: 'python3-pip'},
  {name: 'g++', command: ['g++', '--version'], debian: 'g++', fedora: 'gcc-c++'},
  {name: 'npm', command: ['npm', '--version'], debian: 'npm', fedora: 'nodejs-npm'},
];

/**
 * Checks that everything the native engine is built with is there.
 *
 * @throws {EngineUnavailableError} Naming all that is missing, with the commands that install it.
 */
export async function checkInstallNeeds({signal}: {readonly signal?: AbortSignal | undefined} = {}): Promise<void> {
  const {header} = process.report.getReport() as {header: {glibcVersionRuntime?: string}};
  if (header.glibcVersionRuntime === undefined) {
    throw new EngineUnavailableError(
      'Cannot install the native engine as TensorFlow needs a Linux with glibc (not Alpine): current C library is another',
    );
  }
  const missing: Need[] = [];
  for (const need of needs) {
    try {
      await runCommand(need.command, {signal});
    } catch {
      signal?.throwIfAborted();
      missing.push(need);
    }
  }
  if (missing.length === 0) return;
  const list = (field: 'name' | 'debian' | 'fedora', separator: string) =>
    missing.map(need => need[field]).join(separator);
  throw new EngineUnavailableError(
    `Cannot install the native engine as ${list('name', ', ')} ${missing.length === 1 ? 'is' : 'are'} missing: run "sudo apt-get install ${list('debian', ' ')}" on Debian and Ubuntu, "sudo dnf install ${list('fedora', ' ')}" on Fedora`,
  );
}
