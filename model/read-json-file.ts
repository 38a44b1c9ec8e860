import {isUtf8} from 'node:buffer';
import {readFile} from 'node:fs/promises';
import {ModelError} from '../errors.ts';
import {readProblem} from './read-problem.ts';

export type ReadJsonFileOptions = {
  /** What to do if the file cannot be read, for the error message. @default 'check the path' */
  readonly advice?: string;
  /** Whether the file may be missing; the result is then `undefined`. @default false */
  readonly optional?: boolean;
};

/**
 * Reads and parses a JSON file.
 *
 * @throws {ModelError} If it cannot be read or is not JSON in UTF-8.
 */
export async function readJsonFile(
  path: string,
  {advice = 'check the path', optional = false}: ReadJsonFileOptions = {},
): Promise<unknown> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (optional && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ModelError(`Cannot read "${path}" as ${readProblem(error)}; ${advice}`, {cause: error});
  }
  if (!isUtf8(bytes)) throw new ModelError(`Cannot read "${path}" as it must be UTF-8; fetch or write the file again`);
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new ModelError(
      `Cannot read "${path}" as it must be JSON: ${(error as Error).message}; fetch or write the file again`,
      {cause: error},
    );
  }
}
