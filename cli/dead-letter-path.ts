export type DeadLetterPathOptions = {
  readonly deadLetters?: string | undefined;
  readonly store: string;
};

/** Where `palimpsest embed` puts what cannot be decoded: where it is told, or beside the store. */
export function deadLetterPath({deadLetters, store}: DeadLetterPathOptions): string {
  return deadLetters ?? `${store === 'memory' ? 'palimpsest' : store}.dead-letters.jsonl`;
}
