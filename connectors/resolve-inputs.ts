import {stat} from 'node:fs/promises';
import {isAbsolute} from 'node:path';
import {glob, isDynamicPattern} from 'tinyglobby';
import {SourceError} from '../errors.ts';
import {filePartition} from './file-partition.ts';
import {sourceFailure} from './source-failure.ts';

/**
 * Turns paths and glob patterns into the files they stand for: what exists stays as given, a pattern gives its matches in
 * sorted order, and a file that is met twice counts once. `-` is standard input.
 *
 * @throws {SourceError} If a path does not exist or is a directory, or a pattern matches nothing.
 */
export async function resolveInputs(patterns: readonly string[]): Promise<string[]> {
  const inputs = new Map<string, string>();
  for (const pattern of patterns) {
    for (const path of await expand(pattern)) {
      const partition = path === '-' ? 'stdin' : await filePartition(path);
      if (!inputs.has(partition)) inputs.set(partition, path);
    }
  }
  return [...inputs.values()];
}

async function expand(pattern: string): Promise<string[]> {
  if (pattern === '-') return [pattern];
  try {
    // What exists is meant, even if its name looks like a pattern.
    const status = await stat(pattern);
    if (status.isDirectory()) throw Object.assign(new Error('Is a directory'), {code: 'EISDIR'});
    return [pattern];
  } catch (error) {
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!missing || !isDynamicPattern(pattern)) throw sourceFailure(error, {name: pattern});
  }
  const paths = await glob(pattern, {absolute: isAbsolute(pattern), dot: true, expandDirectories: false});
  if (paths.length > 0) return paths.sort();
  throw new SourceError(
    `Cannot read "${pattern}" as it matches no file: use "*" for any name and "**" for folders at any depth, for example "texts/**/*.txt"`,
  );
}
