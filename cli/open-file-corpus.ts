import {resolveInputs} from '../connectors/resolve-inputs.ts';
import {type Corpus, type OpenCorpusOptions, openCorpus} from '../training/documents/corpus.ts';
import {fileDocument} from './file-document.ts';

export type OpenFileCorpusOptions = Pick<OpenCorpusOptions, 'signal'> & {
  readonly gutenberg: boolean | undefined;
  readonly onProgress: (progress: {readonly phase: 'opening'; readonly done: number; readonly total: number}) => void;
};

/**
 * Opens files as a corpus, each a document.
 *
 * @throws {RangeError} If standard input is among them.
 * @throws {SourceError} If a path leads to no file.
 * @throws {ModelError} If a document is empty.
 */
export async function openFileCorpus(
  patterns: readonly string[],
  {gutenberg = false, signal, onProgress}: OpenFileCorpusOptions,
): Promise<Corpus> {
  const paths = await resolveInputs(patterns);
  if (paths.includes('-')) {
    throw new RangeError('Cannot train on standard input as documents are read more than once: name files');
  }
  return await openCorpus(paths.map(fileDocument), {
    gutenberg,
    leastBytes: 1,
    signal,
    onDocument: done => onProgress({phase: 'opening', done, total: paths.length}),
  });
}
