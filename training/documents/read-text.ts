import type {CorpusDocument} from './corpus.ts';

/** Bytes that are given at a time, as what takes them may block. */
const pieceBytes = 64 * 1024;

/** The bytes of a document that count, in small pieces. */
export async function* readText({read, start, end}: CorpusDocument): AsyncGenerator<Uint8Array, void> {
  let offset = 0;
  for await (const piece of read()) {
    const last = Math.min(piece.length, end - offset);
    for (let from = Math.max(0, start - offset); from < last; from += pieceBytes) {
      yield piece.subarray(from, Math.min(last, from + pieceBytes));
    }
    offset += piece.length;
    if (offset >= end) return;
  }
}
