import type {LexicalCounts, LexicalSizes} from '../lexical/lexical-counts.ts';
import type {LexicalHead} from '../lexical/lexical-head.ts';
import type {LexicalSketch} from '../lexical/lexical-sketch.ts';
import type {TransformerSummary} from './transformer-features.ts';
import type {TransformerHead} from './transformer-head.ts';

/** The parts of a document's vector, in their order. */
export const summaryPartNames = ['lexical', 'sketch', 'transformer'] as const;

/** A number for each part. */
export type SummaryParts = Readonly<Record<(typeof summaryPartNames)[number], number>>;

/** What a document's vector is made from. */
export type DocumentSummary = TransformerSummary & {readonly counts: LexicalCounts};

export type SummaryHeadOptions = {
  readonly lexical: LexicalHead;
  readonly sketch: LexicalSketch;
  readonly transformer: TransformerHead;
  /** By how much each part counts in a cosine; 1 in all. */
  readonly shares: SummaryParts;
};

/**
 * Joins what a document's words and the transformer tell into one vector of length 1: the cosine of two is the mean of the cosines of
 * their parts, weighted by `shares`.
 */
export class SummaryHead {
  readonly lexical: LexicalHead;
  readonly sketch: LexicalSketch;
  readonly transformer: TransformerHead;
  readonly shares: SummaryParts;

  /** @throws {RangeError} If the shares are none, or the lexical parts are of different vocabularies. */
  constructor({lexical, sketch, transformer, shares}: SummaryHeadOptions) {
    const given = summaryPartNames.map(name => shares[name]);
    const sum = given.reduce((total, share) => total + share, 0);
    if (!given.every(share => share >= 0) || Math.abs(sum - 1) > 1e-9) {
      throw new RangeError(
        `Cannot make a summary head as its shares must be 0 or more and 1 in all: current values are ${given.join(', ')}`,
      );
    }
    if (lexical.vocabularySize !== sketch.weights.vocabularySize) {
      throw new RangeError(
        `Cannot make a summary head as its parts must be of one vocabulary: current sizes are ${lexical.vocabularySize} and ${sketch.weights.vocabularySize}`,
      );
    }
    this.lexical = lexical;
    this.sketch = sketch;
    this.transformer = transformer;
    this.shares = shares;
  }

  /** What is to be counted of documents. */
  get sizes(): LexicalSizes {
    return this.sketch.weights;
  }

  /** How many numbers of a vector come from each part. */
  get parts(): SummaryParts {
    return {
      lexical: this.lexical.dimension,
      sketch: this.sketch.weights.dimension,
      transformer: this.transformer.dimension,
    };
  }

  /** The vector of a document by all that was read of it: its parts, one behind the other. */
  embed(document: DocumentSummary): Float32Array {
    const vectors = {
      lexical: this.lexical.embed(document.counts),
      sketch: this.sketch.embed(document.counts),
      transformer: this.transformer.embed(document),
    };
    const {lexical, sketch, transformer} = this.parts;
    const joined = new Float32Array(lexical + sketch + transformer);
    let offset = 0;
    for (const name of summaryPartNames) {
      const scale = Math.sqrt(this.shares[name]);
      joined.set(
        vectors[name].map(value => scale * value),
        offset,
      );
      offset += vectors[name].length;
    }
    return joined;
  }
}
