import {LexicalHead} from '../../../model/lexical/lexical-head.ts';
import {LexicalSketch} from '../../../model/lexical/lexical-sketch.ts';
import {SummaryHead, type SummaryParts} from '../../../model/summary/summary-head.ts';
import {TransformerHead} from '../../../model/summary/transformer-head.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

export type RandomSummaryHeadOptions = {
  readonly vocabularySize?: number;
  readonly pairBuckets?: number;
  readonly width?: number;
  readonly layers?: number;
  readonly shares?: SummaryParts;
};

/** A head of 5, 6 and 3 numbers whose weights were never trained. */
export function randomSummaryHead({
  vocabularySize = 256,
  pairBuckets = 64,
  width = 32,
  layers = 2,
  shares = {lexical: 0.5, sketch: 0.25, transformer: 0.25},
}: RandomSummaryHeadOptions = {}): SummaryHead {
  const random = seededRandom(9);
  const normal = (length: number) => Float32Array.from({length}, () => random() - 0.5);
  const features = (1 + layers) * width;
  return new SummaryHead({
    lexical: new LexicalHead({projection: normal(vocabularySize * 5), bias: normal(5)}),
    sketch: new LexicalSketch({
      vocabularySize,
      pairBuckets,
      inverseFrequencies: Float32Array.from({length: vocabularySize + pairBuckets}, () => 5 * random()),
      dimension: 6,
    }),
    transformer: new TransformerHead({width, mean: normal(features), projection: normal(features * 3)}),
    shares,
  });
}
