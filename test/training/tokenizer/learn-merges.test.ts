import test from 'ava';
import {byteCharacters} from '../../../model/tokenizer/byte-characters.ts';
import {byteAlphabet} from '../../../training/tokenizer/byte-alphabet.ts';
import {learnMerges} from '../../../training/tokenizer/learn-merges.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

type Pieces = readonly (readonly [piece: string, count: number])[];

function learn(pieces: Pieces, mostTokens: number): string[] {
  return [...learnMerges(pieces, {mostTokens})].map(({left, right}) => `${left} ${right}`);
}

/** The definition, word for word: counts all pairs anew for each merge. */
function learnSlowly(pieces: Pieces, mostTokens: number): string[] {
  const ids = new Map(byteAlphabet.map((token, id) => [token, id]));
  let rows = pieces.map(([piece, count]) => ({count, row: [...Buffer.from(piece)].map(byte => byteCharacters[byte]!)}));
  const merges: string[] = [];
  while (ids.size < mostTokens) {
    const counts = new Map<string, number>();
    for (const {row, count} of rows) {
      for (let i = 1; i < row.length; i++) {
        const pair = `${row[i - 1]} ${row[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + count);
      }
    }
    const rank = (pair: string): number[] => pair.split(' ').map(token => ids.get(token)!);
    const [best] = [...counts].sort(
      ([a, m], [b, n]) => n - m || rank(a)[0]! - rank(b)[0]! || rank(a)[1]! - rank(b)[1]!,
    );
    if (best === undefined || best[1] < 2) break;
    merges.push(best[0]);
    const [left, right] = best[0].split(' ') as [string, string];
    if (!ids.has(left + right)) ids.set(left + right, ids.size);
    rows = rows.map(({row, count}) => {
      const merged: string[] = [];
      for (let i = 0; i < row.length; i++) {
        if (row[i] === left && row[i + 1] === right) merged.push(left + row[++i]!);
        else merged.push(row[i]!);
      }
      return {row: merged, count};
    });
  }
  return merges;
}

test('learnMerges joins the most frequent pair first', t => {
  const pieces: Pieces = [
    ['low', 5],
    ['lower', 2],
    ['newest', 6],
    ['widest', 3],
  ];
  t.deepEqual(learn(pieces, 260), ['e s', 'es t', 'l o', 'lo w']);
});

test('learnMerges takes the pair of lower ids when two are equally frequent', t => {
  t.deepEqual(
    learn(
      [
        ['xy', 3],
        ['ab', 3],
        ['ac', 3],
      ],
      258,
    ),
    ['a b', 'a c'],
  );
});

test('learnMerges stops when no pair occurs twice', t => {
  t.deepEqual(
    learn(
      [
        ['ab', 1],
        ['abc', 1],
        ['xyz', 1],
      ],
      1000,
    ),
    ['a b'],
  );
});

test('learnMerges gives what counting all pairs anew for each merge gives, runs of one letter included', t => {
  const random = seededRandom(5);
  for (let round = 0; round < 40; round++) {
    const letters = round % 2 === 0 ? 'ab' : 'abcé\u{1f600}';
    const pieces = new Map<string, number>();
    for (let i = 0; i < 30; i++) {
      const piece = Array.from(
        {length: 1 + Math.floor(random() * 12)},
        () => [...letters][Math.floor(random() * [...letters].length)],
      ).join('');
      pieces.set(piece, 1 + Math.floor(random() * 5));
    }
    t.deepEqual(learn([...pieces], 320), learnSlowly([...pieces], 320));
  }
});
