import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {CorpusDocument} from '../documents/corpus.ts';
import {DocumentTokens} from '../documents/document-tokens.ts';

export type ExcerptTokensOptions = {
  readonly tokenizer: Tokenizer;
  /** Tokens of an excerpt. */
  readonly length: number;
  /** Excerpts to give at most. */
  readonly most: number;
};

/** The tokens of a document's excerpts, one behind the other from its start; what is left at its end makes none. */
export async function excerptTokens(
  document: CorpusDocument,
  {tokenizer, length, most}: ExcerptTokensOptions,
): Promise<Int32Array[]> {
  const tokens = new DocumentTokens(document, tokenizer);
  const excerpts: Int32Array[] = [];
  while (excerpts.length < most && (await tokens.fill(length)) >= length) {
    excerpts.push(tokens.take(length).ids.slice());
  }
  await tokens.close();
  return excerpts;
}
