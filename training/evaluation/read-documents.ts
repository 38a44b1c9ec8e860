import {setImmediate} from 'node:timers/promises';
import type {Model} from '../../model/model.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {CorpusDocument} from '../documents/corpus.ts';
import {DocumentTokens, type TokenStretch} from '../documents/document-tokens.ts';

/** A segment that was read, with the surprisal of its tokens. */
export type ReadStretch = TokenStretch & {
  /** The document's index. */
  readonly document: number;
  /** Tokens of the document before it. */
  readonly position: number;
  /** −log₂ p of each token given all before it in its document. */
  readonly bits: Float32Array;
};

export type ReadDocumentsOptions = {
  readonly tokenizer: Tokenizer;
  /** Documents read side by side. */
  readonly batch: number;
  /** Tokens that are read of a document at most. @default all */
  readonly mostTokens?: number;
  readonly signal?: AbortSignal | undefined;
};

type Open = {readonly index: number; readonly key: string; readonly tokens: DocumentTokens; position: number};

/** Reads documents from their start with a model, each with an empty memory at first, and gives what it read segment by segment. */
export async function* readDocuments(
  model: Model,
  documents: readonly CorpusDocument[],
  {tokenizer, batch, mostTokens = Infinity, signal}: ReadDocumentsOptions,
): AsyncGenerator<ReadStretch, void> {
  const n = model.config.segmentLength;
  let next = 0;
  let open: Open[] = [];
  try {
    for (;;) {
      // A model in this thread blocks it: let signals in.
      await setImmediate();
      signal?.throwIfAborted();
      while (open.length < batch && next < documents.length) {
        const index = next++;
        open.push({
          index,
          key: `document ${index}`,
          tokens: new DocumentTokens(documents[index]!, tokenizer),
          position: 0,
        });
      }
      const ended: Open[] = [];
      const stretches: (TokenStretch & {from: Open})[] = [];
      for (const document of open) {
        const wanted = Math.min(n, mostTokens - document.position);
        if (wanted <= 0 || (await document.tokens.fill(wanted)) === 0) ended.push(document);
        else stretches.push({...document.tokens.take(wanted), from: document});
      }
      for (const document of ended) {
        await document.tokens.close();
        await model.release([document.key]);
      }
      open = open.filter(document => !ended.includes(document));
      if (stretches.length === 0) {
        if (next < documents.length) continue;
        return;
      }
      const results = await model.step(stretches.map(({ids, from}) => ({memory: from.key, tokens: ids})));
      for (const [row, {from, ...stretch}] of stretches.entries()) {
        yield {...stretch, document: from.index, position: from.position, bits: results[row]!.surprisal};
        from.position += stretch.ids.length;
      }
    }
  } finally {
    for (const document of open) await document.tokens.close();
    await model.release(open.map(({key}) => key));
  }
}
