import {unitVector} from '../summary/unit-vector.ts';
import type {LexicalCounts} from './lexical-counts.ts';
import {lexicalFeatures} from './lexical-features.ts';

/** What a trained lexical head computes with; V tokens, d numbers. */
export type LexicalHeadWeights = {
  /** Row by row. [V, d] */
  readonly projection: Float32Array;
  /** What the mean excerpt of training becomes. [d] */
  readonly bias: Float32Array;
};

/** Turns how often each token occurred in a document into a vector of length 1 in which excerpts of one document are near each other. */
export class LexicalHead {
  readonly weights: LexicalHeadWeights;
  /** V */
  readonly vocabularySize: number;

  /** @throws {RangeError} If the sizes of the weights do not fit each other. */
  constructor(weights: LexicalHeadWeights) {
    const {projection, bias} = weights;
    this.vocabularySize = projection.length / bias.length;
    if (!Number.isSafeInteger(this.vocabularySize) || this.vocabularySize < 1) {
      throw new RangeError(
        `Cannot make a lexical head as its projection must have rows of ${bias.length} numbers: current value is ${projection.length} numbers`,
      );
    }
    this.weights = weights;
  }

  /** d */
  get dimension(): number {
    return this.weights.bias.length;
  }

  /** The vector of a document by all that was counted of it so far; zeros before its first token. [d] */
  embed({tokenCounts}: LexicalCounts): Float32Array {
    const {projection, bias} = this.weights;
    const d = bias.length;
    const {indices, values} = lexicalFeatures(tokenCounts); // each [k]
    if (indices.length === 0) return new Float32Array(d);
    const sum = Float64Array.from(bias, value => -value); // [d]
    for (const [i, token] of indices.entries()) {
      const value = values[i]!;
      const row = token * d;
      for (let j = 0; j < d; j++) sum[j]! += value * projection[row + j]!;
    }
    return unitVector(sum);
  }
}
