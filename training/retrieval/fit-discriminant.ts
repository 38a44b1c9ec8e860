import {RandomNormals} from '../../model/weights/random-normals.ts';
import {cholesky} from './cholesky.ts';
import type {SparseRows} from './sparse-rows.ts';

export type FitDiscriminantOptions = {
  /** For each row of the excerpts the index of its document, 0 to n − 1; rows of one document follow one another. [N] */
  readonly documents: readonly number[];
  /** Most directions, d. */
  readonly dimension: number;
  /** Steps of conjugate gradients; stopping early regularises. */
  readonly iterations: number;
  /** What is added to the diagonal of the scatter within documents, as a share of its mean. */
  readonly ridge: number;
};

export type Discriminant = {
  /** W, row by row; d is the number of documents where there are fewer. [F, d] */
  readonly projection: Float32Array;
  /** Mean excerpt times W. [d] */
  readonly bias: Float32Array;
};

/**
 * Fisher's linear discriminant of documents: the directions in which excerpts of one document lie near each other and documents far apart.
 *
 * With S the scatter within documents plus a ridge, and C the differences of the documents' means from the mean of all excerpts [n, F], the directions
 * are the columns of Z = S⁻¹ Cᵀ, or where there are more documents than directions, of S⁻¹ Cᵀ Ω for a random Ω [n, d]. W = Z L⁻ᵀ with
 * Zᵀ S Z = L Lᵀ makes what varies within documents vary alike in all of them. Z is approached by conjugate gradients, a system for each
 * column, so no matrix [F, F] is ever made.
 *
 * Yields after each pass over the excerpts, of which there are `iterations` + 2.
 *
 * @param excerpts Features of all excerpts. [N, F]
 * @throws {NumericalError} If documents do not differ.
 */
export function* fitDiscriminant(
  excerpts: SparseRows,
  {documents, dimension, iterations, ridge}: FitDiscriminantOptions,
): Generator<void, Discriminant> {
  const {rows: N, columns: F} = excerpts;
  const sizes: number[] = [];
  for (const document of documents) sizes[document] = (sizes[document] ?? 0) + 1;
  const n = sizes.length;
  const d = Math.min(n, dimension);
  const mixing = mixingOf(n, d); // Ω [n][d]

  const mean = new Float32Array(F); // [F]
  const residual = new Float32Array(F * d); // Cᵀ Ω − S Z [F, d]
  let meanSquares = 0;
  for (let row = 0; row < N; ) {
    const document = documents[row]!;
    const size = sizes[document]!;
    const documentMean = new Float32Array(F); // [F]
    for (const end = row + size; row < end; row++) {
      excerpts.addRow(row, {factor: 1 / size, vector: documentMean});
      excerpts.addRow(row, {factor: 1 / N, vector: mean});
      excerpts.addOuter(row, {vector: mixing[document]!.map(value => value / size), matrix: residual});
    }
    for (const value of documentMean) meanSquares += size * value * value;
  }
  const mixed = mixing[0]!.map((_, j) => mixing.reduce((sum, row) => sum + row[j]!, 0)); // [d]
  for (let i = 0; i < residual.length; i++) residual[i]! -= mean[Math.floor(i / d)]! * mixed[i % d]!;
  yield;

  const freedom = N - n;
  const diagonal = (ridge * (excerpts.squares - meanSquares)) / freedom / F;
  /** S times a matrix. [F, d] */
  const scatter = (matrix: Float32Array): Float32Array => {
    const result = matrix.map(value => diagonal * value); // [F, d]
    const products: Float32Array[] = []; // [N][d]
    const centers = sizes.map(() => new Float32Array(d)); // mean product of each document [n][d]
    for (const product of excerpts.times(matrix)) {
      const document = documents[products.length]!;
      const center = centers[document]!;
      for (let j = 0; j < d; j++) center[j]! += product[j]! / sizes[document]!;
      products.push(product.slice());
    }
    for (const [row, product] of products.entries()) {
      const center = centers[documents[row]!]!;
      excerpts.addOuter(row, {vector: product.map((value, j) => (value - center[j]!) / freedom), matrix: result});
    }
    return result;
  };

  // Conjugate gradients on all columns side by side, from zero.
  const solution = new Float32Array(F * d); // Z [F, d]
  const direction = residual.slice(); // [F, d]
  let squares = columnProducts(residual, residual, d); // [d]
  for (let step = 0; step < iterations; step++) {
    const image = scatter(direction); // [F, d]
    const curvature = columnProducts(direction, image, d); // [d]
    const length = squares.map((value, j) => value / curvature[j]!); // [d]
    for (let i = 0; i < solution.length; i++) {
      solution[i]! += length[i % d]! * direction[i]!;
      residual[i]! -= length[i % d]! * image[i]!;
    }
    const next = columnProducts(residual, residual, d); // [d]
    for (let i = 0; i < direction.length; i++) {
      direction[i] = residual[i]! + (next[i % d]! / squares[i % d]!) * direction[i]!;
    }
    squares = next;
    yield;
  }

  const within = gram(solution, scatter(solution), d); // Zᵀ S Z [d, d]
  let trace = 0;
  for (let j = 0; j < d; j++) trace += within[j * d + j]!;
  // Where all documents are of one size, their differences sum to nothing, so one direction is none.
  for (let j = 0; j < d; j++) within[j * d + j]! += (1e-6 * trace) / d;
  const factor = cholesky(within, d); // L [d, d]
  const projection = new Float32Array(F * d); // W [F, d]
  const bias = new Float64Array(d); // [d]
  for (let feature = 0; feature < F; feature++) {
    const start = feature * d;
    for (let j = 0; j < d; j++) {
      let sum = solution[start + j]!;
      for (let k = 0; k < j; k++) sum -= factor[j * d + k]! * projection[start + k]!;
      projection[start + j] = sum / factor[j * d + j]!;
      bias[j]! += mean[feature]! * projection[start + j]!;
    }
  }
  yield;
  return {projection, bias: Float32Array.from(bias)};
}

/** Ω: each document by itself, or a random mixture where there are more of them than directions. [n][d] */
function mixingOf(n: number, d: number): Float32Array[] {
  const normals = new RandomNormals('palimpsest discriminant 1');
  return Array.from({length: n}, (_, document) => {
    const row = new Float32Array(d);
    if (n > d) normals.addTo(row, {standardDeviation: 1 / Math.sqrt(n)});
    else row[document] = 1;
    return row;
  });
}

/** Products of columns with the same columns of another matrix. [d] */
function columnProducts(a: Float32Array, b: Float32Array, d: number): Float64Array {
  const sums = new Float64Array(d);
  for (let i = 0; i < a.length; i++) sums[i % d]! += a[i]! * b[i]!;
  return sums;
}

/** Aᵀ B, made symmetric. [d, d] */
function gram(a: Float32Array, b: Float32Array, d: number): Float64Array {
  const product = new Float64Array(d * d);
  for (let start = 0; start < a.length; start += d) {
    for (let i = 0; i < d; i++) {
      const value = a[start + i]!;
      for (let j = 0; j < d; j++) product[i * d + j]! += value * b[start + j]!;
    }
  }
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) {
      const both = (product[i * d + j]! + product[j * d + i]!) / 2;
      product[i * d + j] = both;
      product[j * d + i] = both;
    }
  }
  return product;
}
