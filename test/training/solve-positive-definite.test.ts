import test from 'ava';
import {solvePositiveDefinite} from '../../training/solve-positive-definite.ts';
import {seededRandom} from '../operators/seeded-random.ts';

const product = (a: Float64Array, b: Float64Array, n: number) =>
  Float64Array.from({length: n * n}, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[row * n + k]! * b[k * n + column]!;
    return sum;
  });

test('solvePositiveDefinite solves A X = B', t => {
  const n = 9;
  const random = seededRandom(3);
  const root = Float64Array.from({length: n * n}, () => random() - 0.5);
  const transposed = Float64Array.from({length: n * n}, (_, at) => root[(at % n) * n + Math.floor(at / n)]!);
  const a = product(root, transposed, n).map((value, at) => (at % (n + 1) === 0 ? value + 0.1 : value));
  const x = Float64Array.from({length: n * n}, () => random() - 0.5);
  const solved = solvePositiveDefinite(a, product(a, x, n), n);
  for (const [at, value] of solved.entries()) t.true(Math.abs(value - x[at]!) < 1e-10, `${value} is ${x[at]}`);
});
