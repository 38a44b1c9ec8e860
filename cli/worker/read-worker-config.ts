import {readFile} from 'node:fs/promises';
import {type ReadConfig, readConfig} from '../config/read-config.ts';
import {checkWorkerConfig} from './check-worker-config.ts';
import {workerFields} from './worker-fields.ts';

/**
 * Reads a worker's configuration from a file, the environment and assignments.
 *
 * @throws {TypeError} If the file cannot be read, or anything in it or on top of it is wrong.
 */
export async function readWorkerConfig(
  path: string,
  {
    assignments = [],
    environment = process.env,
  }: {
    readonly assignments?: readonly string[];
    readonly environment?: Readonly<Record<string, string | undefined>>;
  } = {},
): Promise<ReadConfig<typeof workerFields>> {
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new TypeError(`Cannot use the configuration as "${path}" must be a file that can be read: ${cause.message}`, {
      cause,
    });
  });
  return readConfig(workerFields, {path, text, assignments, environment}, checkWorkerConfig);
}
