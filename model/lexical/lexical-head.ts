import type {LexicalCounts, LexicalSizes} from './lexical-counts.ts';
import {lexicalFeatures} from './lexical-features.ts';

/** What a trained lexical path computes with; F = V + B features, d numbers. */
export type LexicalHeadWeights = LexicalSizes & {
  /** Row by row. [F, d] */
  readonly projection: Float32Array;
  /** What the mean excerpt of training becomes. [d] */
  readonly bias: Float32Array;
};

/** Turns what was counted of a document into a vector of length 1 in which excerpts of one document are near each other. */
export class LexicalHead {
  readonly weights: LexicalHeadWeights;

  /** @throws {RangeError} If the sizes of the weights do not fit each other. */
  constructor(weights: LexicalHeadWeights) {
    const {vocabularySize, pairBuckets, projection, bias} = weights;
    const features = vocabularySize + pairBuckets;
    if (projection.length !== features * bias.length || bias.length === 0) {
      throw new RangeError(
        `Cannot make a lexical head as its projection must have ${features} rows of ${bias.length} numbers: current value is ${projection.length} numbers`,
      );
    }
    this.weights = weights;
  }

  /** d */
  get dimension(): number {
    return this.weights.bias.length;
  }

  /** The vector of a document by all that was counted of it so far; zeros before its first token. [d] */
  embed({counts}: LexicalCounts): Float32Array {
    const {projection, bias} = this.weights;
    const d = bias.length;
    const {indices, values} = lexicalFeatures(counts); // each [k]
    if (indices.length === 0) return new Float32Array(d);
    const sum = Float64Array.from(bias, value => -value); // [d]
    for (const [i, feature] of indices.entries()) {
      const value = values[i]!;
      const row = feature * d;
      for (let j = 0; j < d; j++) sum[j]! += value * projection[row + j]!;
    }
    const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
    return Float32Array.from(sum, value => (norm === 0 ? 0 : value / norm));
  }
}
