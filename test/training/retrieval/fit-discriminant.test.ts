import test from 'ava';
import type {SparseFeatures} from '../../../model/lexical/lexical-features.ts';
import {cholesky} from '../../../training/retrieval/cholesky.ts';
import {
  type Discriminant,
  type FitDiscriminantOptions,
  fitDiscriminant,
} from '../../../training/retrieval/fit-discriminant.ts';
import {SparseRows} from '../../../training/retrieval/sparse-rows.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

function discriminantOf(rows: readonly (readonly number[])[], options: FitDiscriminantOptions): Discriminant {
  const sparse = rows.map((row): SparseFeatures => {
    const indices = row.flatMap((value, i) => (value === 0 ? [] : [i]));
    return {indices: Int32Array.from(indices), values: Float32Array.from(indices, i => row[i]!)};
  });
  const fitting = fitDiscriminant(new SparseRows(sparse, {columns: rows[0]!.length}), options);
  for (;;) {
    const {done, value} = fitting.next();
    if (done) return value;
  }
}

/** Documents that differ in features 0 to 2, while features 3 to 5 vary much more, within documents. */
function noisyDocuments(count: number, random: () => number): {rows: number[][]; documents: number[]} {
  const rows: number[][] = [];
  const documents: number[] = [];
  for (let document = 0; document < count; document++) {
    const center = [random(), random(), random()];
    for (let excerpt = 0; excerpt < 3 + (document % 3); excerpt++) {
      const own = center.map(value => value + 0.005 * random());
      rows.push([...own, 5 * random(), 5 * random(), random() < 0.5 ? 0 : 5 * random()]);
      documents.push(document);
    }
  }
  return {rows, documents};
}

/** S⁻¹ (m − mean) for each document by elimination in float64: columns of Z. [n][F] */
function solveDirectly(rows: readonly (readonly number[])[], documents: readonly number[], ridge: number): number[][] {
  const F = rows[0]!.length;
  const n = Math.max(...documents) + 1;
  const average = (some: readonly (readonly number[])[]) =>
    Array.from({length: F}, (_, j) => some.reduce((sum, row) => sum + row[j]!, 0) / some.length);
  const mean = average(rows);
  const means = Array.from({length: n}, (_, document) => average(rows.filter((_, i) => documents[i] === document)));
  const S = Array.from({length: F}, () => new Array<number>(F).fill(0));
  for (const [i, row] of rows.entries()) {
    const difference = row.map((value, j) => value - means[documents[i]!]![j]!);
    for (let a = 0; a < F; a++)
      for (let b = 0; b < F; b++) S[a]![b]! += (difference[a]! * difference[b]!) / (rows.length - n);
  }
  const diagonal = (ridge * S.reduce((sum, row, j) => sum + row[j]!, 0)) / F;
  for (let j = 0; j < F; j++) S[j]![j]! += diagonal;
  return means.map(center => {
    const system = S.map((row, j) => [...row, center[j]! - mean[j]!]);
    for (let pivot = 0; pivot < F; pivot++) {
      for (let row = 0; row < F; row++) {
        if (row === pivot) continue;
        const factor = system[row]![pivot]! / system[pivot]![pivot]!;
        for (let j = pivot; j <= F; j++) system[row]![j]! -= factor * system[pivot]![j]!;
      }
    }
    return system.map((row, j) => row[F]! / row[j]!);
  });
}

test('fitDiscriminant spans what elimination in float64 spans, when it runs to the end', t => {
  const {rows, documents} = noisyDocuments(4, seededRandom(2));
  const ridge = 0.1;
  const {projection} = discriminantOf(rows, {documents, dimension: 10, iterations: 12, ridge});
  const columns = Array.from({length: 4}, (_, j) =>
    Array.from({length: 6}, (_, feature) => projection[feature * 4 + j]!),
  );
  // Column j of Z L⁻ᵀ is a sum of columns 0 to j of Z: the first one is a multiple.
  const direct = solveDirectly(rows, documents, ridge);
  const cosine = (a: readonly number[], b: readonly number[]) => {
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  t.true(cosine(columns[0]!, direct[0]!) > 1 - 1e-5);
});

test('fitDiscriminant tells documents apart that cosines of features confuse', t => {
  for (const dimension of [10, 6]) {
    const random = seededRandom(7);
    const training = noisyDocuments(30, random);
    const {projection, bias} = discriminantOf(training.rows, {
      documents: training.documents,
      dimension,
      iterations: 6,
      ridge: 1e-4,
    });
    t.is(bias.length, dimension);
    const unseen = noisyDocuments(10, random);
    const project = (row: readonly number[]) =>
      [...bias].map((value, j) => row.reduce((sum, x, i) => sum + x * projection[i * bias.length + j]!, -value));
    const right = (vectors: readonly (readonly number[])[]): number => {
      const unit = vectors.map(vector => vector.map(value => value / Math.hypot(...vector)));
      const nearest = unit.map((a, i) => {
        const cosines = unit.map((b, j) => (i === j ? -2 : b.reduce((sum, value, k) => sum + value * a[k]!, 0)));
        return cosines.indexOf(Math.max(...cosines));
      });
      return nearest.filter((j, i) => unseen.documents[i] === unseen.documents[j]).length / vectors.length;
    };
    t.true(right(unseen.rows) < 0.5);
    t.true(right(unseen.rows.map(project)) > 0.9, `${dimension} directions: ${right(unseen.rows.map(project))}`);
  }
});

test('fitDiscriminant gives the same for the same excerpts', t => {
  const {rows, documents} = noisyDocuments(12, seededRandom(4));
  const options = {documents, dimension: 5, iterations: 3, ridge: 1};
  t.deepEqual(discriminantOf(rows, options), discriminantOf(rows, options));
});

test('cholesky gives the factor, and refuses what is not positive definite', t => {
  t.deepEqual([...cholesky(Float64Array.of(4, 2, 2, 10), 2)], [2, 0, 1, 3]);
  t.throws(() => cholesky(Float64Array.of(1, 2, 2, 1), 2), {message: /pivot 1 is -3$/});
});
