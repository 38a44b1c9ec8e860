import {type Corpus, openCorpus} from '../../training/documents/corpus.ts';
import type {TrainingDocument} from '../../training/documents/training-document.ts';
import {sampleText} from '../cli/sample-text.ts';

/** Documents from texts, given out in pieces of seven bytes. */
export function textDocuments(texts: readonly string[]): TrainingDocument[] {
  return texts.map((text, index) => ({
    id: `text ${index}`,
    async *read() {
      const bytes = Buffer.from(text);
      for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
    },
  }));
}

/** A corpus of sample texts of so many bytes. */
export async function sampleCorpus(lengths: readonly number[], seed = 1): Promise<Corpus> {
  const texts = lengths.map((bytes, index) => sampleText(bytes, seed + index));
  return await openCorpus(textDocuments(texts), {gutenberg: false, leastBytes: 2});
}
