import {type TransformerSummary, transformerFeatures} from './transformer-features.ts';
import {unitVector} from './unit-vector.ts';

/** What a trained head of the transformer's part computes with; G features, m numbers. */
export type TransformerHeadWeights = {
  /** d: width of hidden vectors and memory rows. */
  readonly width: number;
  /** Features of the mean excerpt of training. [G] */
  readonly mean: Float32Array;
  /** Row by row. [G, m] */
  readonly projection: Float32Array;
};

/** Turns final hidden vectors and compressed memories into a vector of length 1 in which excerpts of one document are near each other. */
export class TransformerHead {
  readonly weights: TransformerHeadWeights;
  /** m */
  readonly dimension: number;

  /** @throws {RangeError} If the sizes of the weights do not fit each other. */
  constructor(weights: TransformerHeadWeights) {
    const {width, mean, projection} = weights;
    this.dimension = projection.length / mean.length;
    if (!Number.isSafeInteger(width) || width < 1 || mean.length === 0 || mean.length % width !== 0) {
      throw new RangeError(
        `Cannot make a head of the transformer as its mean must be made of vectors of ${width} numbers: current value is ${mean.length} numbers`,
      );
    }
    if (!Number.isSafeInteger(this.dimension) || this.dimension < 1) {
      throw new RangeError(
        `Cannot make a head of the transformer as its projection must have ${mean.length} rows: current value is ${projection.length} numbers`,
      );
    }
    this.weights = weights;
  }

  /**
   * The vector of a document; what is not there yet, such as compressed memories of a short one, counts as the mean of training. [m]
   *
   * @throws {RangeError} If the features are others than those that the head was trained with.
   */
  embed(summary: TransformerSummary): Float32Array {
    const {width, mean, projection} = this.weights;
    const features = transformerFeatures(summary, width); // [d] or [(1 + l) · d]
    if (features.length !== width && features.length !== mean.length && mean.length !== width) {
      throw new RangeError(
        `Cannot embed a document as the head takes ${mean.length} features: current value is ${features.length}`,
      );
    }
    const m = this.dimension;
    const sum = new Float64Array(m);
    // A head that was trained on excerpts too short to be compressed knows hidden vectors only.
    for (let i = 0; i < Math.min(features.length, mean.length); i++) {
      const difference = features[i]! - mean[i]!;
      for (let j = 0; j < m; j++) sum[j]! += difference * projection[i * m + j]!;
    }
    return unitVector(sum);
  }
}
