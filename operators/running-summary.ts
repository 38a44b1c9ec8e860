import type {LexicalCounts} from '../model/lexical/lexical-counts.ts';

/** Totals over the segments of a document, from which its embedding and its bits per byte follow. */
export class RunningSummary {
  tokens = 0;
  bytes = 0;
  /** Surprisal in bits. */
  bits = 0;
  /** Sum of the final hidden vectors of all tokens, in float64 so that a long document does not wear it down. [d] */
  readonly hiddenSum: Float64Array;

  /** Which tokens occurred, for a model with a summary head. */
  readonly lexical: LexicalCounts | undefined;

  constructor(modelWidth: number, {lexical}: {readonly lexical?: LexicalCounts | undefined} = {}) {
    this.hiddenSum = new Float64Array(modelWidth);
    this.lexical = lexical;
  }

  /** Adds totals; which tokens they stand for is counted apart. */
  add({tokens, bytes, bits, hiddenSum}: SegmentSummary): void {
    this.tokens += tokens;
    this.bytes += bytes;
    this.bits += bits;
    for (let i = 0; i < hiddenSum.length; i++) this.hiddenSum[i]! += hiddenSum[i]!;
  }

  copy(): RunningSummary {
    const copy = new RunningSummary(this.hiddenSum.length, {lexical: this.lexical?.copy()});
    copy.add(this);
    return copy;
  }

  get bitsPerByte(): number {
    return this.bytes === 0 ? 0 : this.bits / this.bytes;
  }

  /** The token-weighted mean of the final hidden vectors, L2-normalised. [d] */
  meanHidden(): Float32Array {
    let squares = 0;
    for (const value of this.hiddenSum) squares += value * value;
    const norm = Math.sqrt(squares);
    return Float32Array.from(this.hiddenSum, value => (norm === 0 ? 0 : value / norm));
  }
}

export type SegmentSummary = {
  readonly tokens: number;
  readonly bytes: number;
  readonly bits: number;
  /** [d], or empty. */
  readonly hiddenSum: ArrayLike<number>;
};
