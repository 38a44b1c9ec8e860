import test from 'ava';
import {nearestByCosine} from '../../examples/nearest-by-cosine.ts';

const line = (id: string, embedding: number[], final = true) => JSON.stringify({id, embedding, final});

test('nearestByCosine gives the nearest documents first, whatever their lengths', t => {
  const lines = [
    line('a', [3, 0]),
    line('far', [-1, 0]),
    line('b', [0, 2]),
    line('c', [6, 8]),
    '',
    line('same', [0.1, 0]),
  ];
  const rounded = nearestByCosine(lines, {id: 'a'}).map(({id, cosine}) => [id, Number(cosine.toFixed(3))]);
  t.deepEqual(rounded, [
    ['same', 1],
    ['c', 0.6],
    ['b', 0],
    ['far', -1],
  ]);
  t.deepEqual(
    nearestByCosine(lines, {id: 'a', count: 2}).map(({id}) => id),
    ['same', 'c'],
  );
});

test('nearestByCosine takes the last final embedding of a document', t => {
  const lines = [
    line('a', [1, 0]),
    line('b', [1, 0]),
    line('b', [0, 1]),
    line('b', [1, 0], false),
    line('c', [1, 0], false),
  ];
  t.deepEqual(nearestByCosine(lines, {id: 'a'}), [{id: 'b', cosine: 0}]);
});

test('nearestByCosine refuses a document without a result', t => {
  t.throws(() => nearestByCosine([line('a', [1])], {id: 'x'}), {
    instanceOf: RangeError,
    message: /current value is "x", not one of "a"$/,
  });
});
