import type {CorpusDocument} from '../documents/corpus.ts';
import {readText} from '../documents/read-text.ts';

export type ExcerptPairOptions = {
  /** Of an excerpt. */
  readonly characters: number;
  /** Where the excerpts begin, as shares of the document. */
  readonly places: readonly [number, number];
};

/** Two excerpts of a document that do not overlap; `undefined` if it is too short for them. */
export async function excerptPair(
  document: CorpusDocument,
  {characters, places}: ExcerptPairOptions,
): Promise<readonly [string, string] | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of readText(document)) text += decoder.decode(piece, {stream: true});
  text += decoder.decode();
  const [first, second] = places.map(place => Math.floor(place * text.length)) as [number, number];
  if (first + characters > second || second + characters > text.length) return undefined;
  return [text.slice(first, first + characters), text.slice(second, second + characters)];
}
