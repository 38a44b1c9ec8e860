import test from 'ava';
import {unusualSegments} from '../../examples/unusual-segments.ts';

const line = (id: string, embedding: number[], {tokens, final = false}: {tokens: number; final?: boolean}) =>
  JSON.stringify({id, embedding, tokens, final});

const lines = [
  line('a', [1, 0], {tokens: 8}),
  line('b', [0, 1], {tokens: 8}),
  line('a', [2, 0], {tokens: 16}),
  '',
  line('b', [0, 1], {tokens: 16}),
  line('a', [0, 3], {tokens: 24}),
  line('a', [-9, -9], {tokens: 26, final: true}),
];

test('unusualSegments ranks segments by how far they are from the mean of their own document', t => {
  const found = unusualSegments(lines).map(({distance, ...segment}) => ({
    ...segment,
    distance: Number(distance.toFixed(3)),
  }));
  t.deepEqual(found, [
    {id: 'a', start: 0, end: 8, distance: 0.293},
    {id: 'a', start: 8, end: 16, distance: 0.293},
    {id: 'a', start: 16, end: 24, distance: 0.293},
    {id: 'b', start: 0, end: 8, distance: 0},
    {id: 'b', start: 8, end: 16, distance: 0},
  ]);
});

test('unusualSegments gives the farthest first, and as many as asked for', t => {
  const odd = [...lines, line('a', [4, 1], {tokens: 32}), line('a', [5, 1], {tokens: 40})];
  t.deepEqual(
    unusualSegments(odd, {count: 1}).map(({id, start}) => [id, start]),
    [['a', 16]],
  );
});

test('unusualSegments leaves out what did not fill a segment at the end', t => {
  const found = unusualSegments([...lines, line('b', [1, 0], {tokens: 19})]);
  t.deepEqual(
    found.filter(({id}) => id === 'b').map(({end}) => end),
    [8, 16],
  );
});

test('unusualSegments finds nothing in results of whole documents', t => {
  t.deepEqual(unusualSegments([line('a', [1], {tokens: 8, final: true})]), []);
});
