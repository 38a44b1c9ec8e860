import {createHash} from 'node:crypto';
import {ModelError} from '../../errors.ts';
import {GutenbergMarkers} from './gutenberg-markers.ts';
import type {TrainingDocument} from './training-document.ts';

/** A document, and which part of it counts. */
export type CorpusDocument = TrainingDocument & {
  /** The text that counts, in bytes of the document. */
  readonly start: number;
  readonly end: number;
  /** Of all its content, and of the part that counts. */
  readonly digest: string;
};

/** Documents that were read once, to be recognised. */
export type Corpus = {
  readonly documents: readonly CorpusDocument[];
  /** Bytes that count. */
  readonly bytes: number;
  /** Of contents, in order. */
  readonly digest: string;
};

export type OpenCorpusOptions = {
  /** Whether only what stands between the markers of Project Gutenberg counts. */
  readonly gutenberg: boolean;
  /** Fewest bytes that a document may have. */
  readonly leastBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onDocument?: (done: number) => void;
};

/**
 * Reads all documents once, to know their lengths and to recognise them again.
 *
 * @throws {ModelError} If there is none, or one is too short.
 */
export async function openCorpus(
  documents: readonly TrainingDocument[],
  {gutenberg, leastBytes, signal, onDocument}: OpenCorpusOptions,
): Promise<Corpus> {
  if (documents.length === 0) throw new ModelError('Cannot open a corpus as it must have documents: there are none');
  const digest = createHash('sha256');
  const measured: CorpusDocument[] = [];
  for (const document of documents) {
    signal?.throwIfAborted();
    const content = createHash('sha256');
    const markers = gutenberg ? new GutenbergMarkers() : undefined;
    let length = 0;
    for await (const piece of document.read()) {
      content.update(piece);
      markers?.push(piece);
      length += piece.length;
    }
    const range = markers?.range(length) ?? {start: 0, end: length};
    if (range.end - range.start < leastBytes) {
      const what = length === 0 ? 'it is empty' : `current value is ${range.end - range.start}`;
      throw new ModelError(
        `Cannot use "${document.id}" as a document must have at least ${leastBytes} bytes of text: ${what}; leave it out`,
      );
    }
    const contentDigest = content.digest('hex');
    digest.update(`${length} ${contentDigest}\n`);
    const own = `${contentDigest} ${range.start} ${range.end}`;
    measured.push({id: document.id, read: () => document.read(), ...range, digest: own});
    onDocument?.(measured.length);
  }
  return {
    documents: measured,
    bytes: measured.reduce((sum, {start, end}) => sum + end - start, 0),
    digest: digest.digest('hex'),
  };
}
