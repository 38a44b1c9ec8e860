import {unitVector} from '../summary/unit-vector.ts';
import type {LexicalCounts, LexicalSizes} from './lexical-counts.ts';
import {mixBits} from './mix-bits.ts';

/** What a sketch computes with; V tokens, B buckets of pairs. */
export type LexicalSketchWeights = LexicalSizes & {
  /** How much each token and each bucket tells: ln((1 + N) / (1 + df)), of N excerpts of training, df of which have it. [V + B] */
  readonly inverseFrequencies: Float32Array;
  /** Numbers of a vector. */
  readonly dimension: number;
};

/** Features of a document that are kept: more would drown each other in so few numbers. */
const kept = 32;

/** Numbers that each feature adds to or takes from. */
const placesOfFeature = 4;

/**
 * A vector of what stands out in a document, names above all: the tokens and pairs of tokens with the greatest √count · inverse frequency, each
 * added with random signs at a few random places (a count sketch), so that words nobody trained on count as well.
 */
export class LexicalSketch {
  readonly weights: LexicalSketchWeights;

  /** @throws {RangeError} If the sizes of the weights do not fit each other. */
  constructor(weights: LexicalSketchWeights) {
    const {vocabularySize, pairBuckets, inverseFrequencies, dimension} = weights;
    if (inverseFrequencies.length !== vocabularySize + pairBuckets) {
      throw new RangeError(
        `Cannot make a lexical sketch as it must have ${vocabularySize + pairBuckets} inverse frequencies: current value is ${inverseFrequencies.length}`,
      );
    }
    if (!Number.isSafeInteger(dimension) || dimension < 1) {
      throw new RangeError(
        `Cannot make a lexical sketch as its dimension must be a positive whole number: current value is ${dimension}`,
      );
    }
    this.weights = weights;
  }

  /** The vector of a document, of length 1; zeros before its first token. [dimension] */
  embed({counts}: LexicalCounts): Float32Array {
    const {inverseFrequencies, dimension} = this.weights;
    const found: {readonly feature: number; readonly value: number}[] = [];
    for (const [feature, count] of counts.entries()) {
      if (count > 0) found.push({feature, value: Math.sqrt(count) * inverseFrequencies[feature]!});
    }
    found.sort((a, b) => b.value - a.value || a.feature - b.feature);
    const vector = new Float64Array(dimension);
    for (const {feature, value} of found.slice(0, kept)) {
      for (let place = 0; place < placesOfFeature; place++) {
        const bits = mixBits(feature * placesOfFeature + place + 1);
        vector[(bits >>> 1) % dimension]! += bits & 1 ? value : -value;
      }
    }
    return unitVector(vector);
  }
}
