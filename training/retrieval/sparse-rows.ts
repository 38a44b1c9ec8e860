import type {SparseFeatures} from '../../model/lexical/lexical-features.ts';

/** A matrix whose rows hold few values that are not zero. [N, F] */
export class SparseRows {
  readonly columns: number;
  readonly #rows: readonly SparseFeatures[];

  constructor(rows: readonly SparseFeatures[], {columns}: {readonly columns: number}) {
    this.#rows = rows;
    this.columns = columns;
  }

  get rows(): number {
    return this.#rows.length;
  }

  /**
   * For each row in turn, its product with a dense matrix; valid until the next one.
   *
   * @param matrix Row by row. [F, m]
   */
  *times(matrix: Float32Array): Generator<Float32Array, void> {
    const m = matrix.length / this.columns;
    const product = new Float32Array(m); // [m]
    for (const {indices, values} of this.#rows) {
      product.fill(0);
      for (let i = 0; i < indices.length; i++) {
        const value = values[i]!;
        const start = indices[i]! * m;
        for (let j = 0; j < m; j++) product[j]! += value * matrix[start + j]!;
      }
      yield product;
    }
  }

  /**
   * Adds the outer product of a row and a vector to a dense matrix.
   *
   * @param vector [m]
   * @param matrix Row by row. [F, m]
   */
  addOuter(row: number, {vector, matrix}: {readonly vector: Float32Array; readonly matrix: Float32Array}): void {
    const {indices, values} = this.#rows[row]!;
    const m = vector.length;
    for (let i = 0; i < indices.length; i++) {
      const value = values[i]!;
      const start = indices[i]! * m;
      for (let j = 0; j < m; j++) matrix[start + j]! += value * vector[j]!;
    }
  }

  /** Adds a row, times a factor, to a vector. [F] */
  addRow(row: number, {factor, vector}: {readonly factor: number; readonly vector: Float32Array}): void {
    const {indices, values} = this.#rows[row]!;
    for (let i = 0; i < indices.length; i++) vector[indices[i]!]! += factor * values[i]!;
  }

  /** Sum of squares of all values. */
  get squares(): number {
    let sum = 0;
    for (const {values} of this.#rows) for (const value of values) sum += value * value;
    return sum;
  }
}
