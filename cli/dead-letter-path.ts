import {type DecodesLinesOptions, decodesLines} from './decodes-lines.ts';

export type DeadLetterPathOptions = DecodesLinesOptions & {
  readonly deadLetters?: string | undefined;
  readonly store: string;
};

/** Where `palimpsest embed` puts lines that cannot be decoded: where it is told, or beside the store; `undefined` if it decodes none. */
export function deadLetterPath({deadLetters, store, ...options}: DeadLetterPathOptions): string | undefined {
  if (!decodesLines(options)) return undefined;
  return deadLetters ?? `${store === 'memory' ? 'palimpsest' : store}.dead-letters.jsonl`;
}
