import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

/** A text of a source file, and what is put in its place. */
export type SourcePatch = {
  /** Relative to the package's folder. */
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
};

/**
 * Replaces a text in a file of a package's folder.
 *
 * @throws {Error} If the text is not there exactly once; the file is left as it is.
 */
export async function patchSource(folder: string, {file, text, replacement}: SourcePatch): Promise<void> {
  const path = join(folder, file);
  const parts = (await readFile(path, 'utf8')).split(text);
  if (parts.length !== 2) {
    throw new Error(
      `Cannot patch ${path} as it must hold ${JSON.stringify(text)} once: current count is ${parts.length - 1}`,
    );
  }
  await writeFile(path, parts.join(replacement));
}
