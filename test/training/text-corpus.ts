import type {Corpus} from '../../training/index.ts';
import {openCorpus} from '../../training/index.ts';

/** Texts as a corpus whose documents come in pieces of a few bytes. */
export async function textCorpus(
  texts: readonly string[],
  {gutenberg = false, pieceBytes = 1000}: {readonly gutenberg?: boolean; readonly pieceBytes?: number} = {},
): Promise<Corpus> {
  const documents = texts.map((text, index) => ({
    id: `text ${index}`,
    async *read() {
      const bytes = Buffer.from(text);
      for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
    },
  }));
  return await openCorpus(documents, {gutenberg, leastBytes: 1});
}
