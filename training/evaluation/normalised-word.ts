const edges = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;

/** A word in lower case without punctuation around it; empty if that is all there is. */
export function normalisedWord(word: string): string {
  return word.toLowerCase().replace(edges, '');
}
