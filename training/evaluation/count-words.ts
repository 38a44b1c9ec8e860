import type {Corpus} from '../documents/corpus.ts';
import {normalisedWord} from './normalised-word.ts';

/** Different words that are held; beyond them, those met once are forgotten. */
const mostWords = 4_000_000;

/** How often each word, in lower case and without punctuation around it, occurs in a corpus. */
export async function countWords(
  {documents}: Corpus,
  {signal, onDocument}: {signal?: AbortSignal; onDocument?: (done: number) => void} = {},
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const [index, {read, start, end}] of documents.entries()) {
    signal?.throwIfAborted();
    const decoder = new TextDecoder();
    let offset = 0;
    let rest = '';
    const count = (text: string) => {
      const words = (rest + text).split(/[ \t-\r]+/);
      rest = words.pop()!;
      for (const word of words) add(counts, word);
    };
    for await (const piece of read()) {
      const wanted = piece.subarray(Math.max(0, start - offset), Math.max(0, end - offset));
      count(decoder.decode(wanted, {stream: true}));
      offset += piece.length;
    }
    count(' ');
    if (counts.size > mostWords) {
      for (const [word, times] of counts) if (times === 1) counts.delete(word);
    }
    onDocument?.(index + 1);
  }
  return counts;
}

function add(counts: Map<string, number>, word: string): void {
  const normalised = normalisedWord(word);
  if (normalised !== '') counts.set(normalised, (counts.get(normalised) ?? 0) + 1);
}
