import {LexicalCounts, type LexicalSizes} from '../../model/lexical/lexical-counts.ts';
import {lexicalFeatures, type SparseFeatures} from '../../model/lexical/lexical-features.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {CorpusDocument} from '../documents/corpus.ts';
import {readText} from '../documents/read-text.ts';

export type ExcerptFeaturesOptions = LexicalSizes & {
  readonly tokenizer: Tokenizer;
  /** Tokens of an excerpt. */
  readonly excerptTokens: number;
};

/** The features of a document's excerpts, one behind the other; what is left at its end makes none. */
export async function* excerptFeatures(
  document: CorpusDocument,
  {tokenizer, excerptTokens, ...sizes}: ExcerptFeaturesOptions,
): AsyncGenerator<SparseFeatures, void> {
  let carry: Uint8Array = new Uint8Array();
  let counts = new LexicalCounts(sizes);
  let counted = 0;
  const pieces = readText(document);
  for (let last = false; !last; ) {
    const {value = new Uint8Array(), done = false} = await pieces.next();
    last = done;
    const chunk = tokenizer.push(carry, value ?? new Uint8Array(), last);
    carry = chunk.carry;
    for (let start = 0; start < chunk.ids.length; ) {
      const end = Math.min(chunk.ids.length, start + excerptTokens - counted);
      counts.add(chunk.ids.subarray(start, end));
      counted += end - start;
      start = end;
      if (counted < excerptTokens) continue;
      yield lexicalFeatures(counts.counts);
      counts = new LexicalCounts(sizes);
      counted = 0;
    }
  }
}
