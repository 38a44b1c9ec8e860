import {stat} from 'node:fs/promises';
import {resolveInputs} from '../connectors/resolve-inputs.ts';
import {type Corpus, openCorpus} from '../training/documents/corpus.ts';
import {fileDocument} from './file-document.ts';

export type OpenFileCorpusOptions = {
  /** Whether only what stands between the markers of Project Gutenberg counts. @default false */
  readonly gutenberg?: boolean | undefined;
  /** Fewest bytes that a document may have. @default 1 */
  readonly leastBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {readonly phase: 'opening'; readonly done: number; readonly total: number}) => void;
};

/**
 * Opens files as a corpus, each a document.
 *
 * @throws {RangeError} If standard input, a pipe or a device is among them.
 * @throws {SourceError} If a path leads to no file.
 * @throws {ModelError} If a document is too short.
 */
export async function openFileCorpus(
  patterns: readonly string[],
  {gutenberg = false, leastBytes = 1, signal, onProgress}: OpenFileCorpusOptions,
): Promise<Corpus> {
  const paths = await resolveInputs(patterns);
  for (const path of paths) {
    if (path !== '-' && (await stat(path)).isFile()) continue;
    const what = path === '-' ? 'standard input' : `"${path}"`;
    throw new RangeError(`Cannot read documents from ${what} as they are read more than once: name files`);
  }
  return await openCorpus(paths.map(fileDocument), {
    gutenberg,
    leastBytes,
    signal,
    onDocument: done => onProgress?.({phase: 'opening', done, total: paths.length}),
  });
}
