import {byteCharacters} from '../../model/tokenizer/byte-characters.ts';
import {byteAlphabet} from './byte-alphabet.ts';
import {PairQueue} from './pair-queue.ts';

/** Two tokens that become one. */
export type Merge = {readonly left: string; readonly right: string};

/**
 * Learns byte-pair encoding (Sennrich et al. 2016, algorithm 1, on bytes): joins the most frequent pair of neighbouring tokens, over and over. Of
 * pairs equally frequent, that of the lower ids comes first, so the same counts give the same merges.
 *
 * Yields each merge as it is found, until no pair occurs twice. A merge may give a token that there is already; it then counts as that one.
 *
 * @param pieces What merges stay within, and how often each occurs.
 */
export function* learnMerges(
  pieces: Iterable<readonly [piece: string, count: number]>,
  {mostTokens}: {readonly mostTokens: number},
): Generator<Merge, void> {
  const tokens = [...byteAlphabet];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const idOfByte = byteCharacters.map(character => idOf.get(character)!);
  // Texts are rows of ids one behind the other; a row grows shorter in place.
  const {rows, starts, lengths, weights} = layOut(pieces, idOfByte);
  const pairOf = (left: number, right: number): number => left * mostTokens + right;

  const counts = new Map<number, number>();
  /** Rows that a pair is or was in, in order. */
  const places = new Map<number, number[]>();
  const note = (pair: number, row: number): void => {
    const found = places.get(pair);
    if (found === undefined) places.set(pair, [row]);
    else if (found.at(-1) !== row) found.push(row);
  };
  for (let row = 0; row < starts.length; row++) {
    for (let i = starts[row]!; i < starts[row]! + lengths[row]! - 1; i++) {
      const pair = pairOf(rows[i]!, rows[i + 1]!);
      counts.set(pair, (counts.get(pair) ?? 0) + weights[row]!);
      note(pair, row);
    }
  }
  const queue = new PairQueue();
  for (const [pair, count] of counts) queue.push({pair, count});

  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    const {pair} = entry;
    const count = counts.get(pair)!;
    if (count < 2) continue;
    // Counts fall while a pair waits; where they rise, it is queued anew.
    if (count !== entry.count) {
      if (count < entry.count) queue.push({pair, count});
      continue;
    }
    const left = Math.floor(pair / mostTokens);
    const right = pair % mostTokens;
    const token = tokens[left]! + tokens[right]!;
    const id = idOf.get(token) ?? tokens.push(token) - 1;
    idOf.set(token, id);
    yield {left: tokens[left]!, right: tokens[right]!};

    const grown = new Set<number>();
    const add = (changed: number, row: number, sign: 1 | -1): void => {
      counts.set(changed, (counts.get(changed) ?? 0) + sign * weights[row]!);
      if (sign === -1) return;
      note(changed, row);
      grown.add(changed);
    };
    const rowsOfPair = places.get(pair)!;
    places.delete(pair);
    for (const row of rowsOfPair) {
      const start = starts[row]!;
      const end = start + lengths[row]!;
      let to = start;
      for (let from = start; from < end; from++) {
        if (rows[from] !== left || from + 1 === end || rows[from + 1] !== right) {
          rows[to++] = rows[from]!;
          continue;
        }
        if (to > start) {
          add(pairOf(rows[to - 1]!, left), row, -1);
          add(pairOf(rows[to - 1]!, id), row, 1);
        }
        if (from + 2 < end) {
          add(pairOf(right, rows[from + 2]!), row, -1);
          add(pairOf(id, rows[from + 2]!), row, 1);
        }
        rows[to++] = id;
        from++;
      }
      lengths[row] = to - start;
    }
    // Where the two are the same, runs of them have counted pairs that are no more.
    counts.set(pair, 0);
    for (const changed of grown) queue.push({pair: changed, count: counts.get(changed)!});
    if (tokens.length === mostTokens) return;
  }
}

/** Pieces as rows of ids of their bytes. */
function layOut(
  pieces: Iterable<readonly [piece: string, count: number]>,
  idOfByte: readonly number[],
): {rows: Int32Array; starts: number[]; lengths: number[]; weights: number[]} {
  const starts: number[] = [];
  const lengths: number[] = [];
  const weights: number[] = [];
  let rows = new Int32Array(2 ** 20);
  let end = 0;
  for (const [piece, count] of pieces) {
    const bytes = Buffer.from(piece);
    starts.push(end);
    lengths.push(bytes.length);
    weights.push(count);
    if (end + bytes.length > rows.length) {
      const larger = new Int32Array(Math.max(2 * rows.length, end + bytes.length));
      larger.set(rows);
      rows = larger;
    }
    for (const byte of bytes) rows[end++] = idOfByte[byte]!;
  }
  return {rows, starts, lengths, weights};
}
