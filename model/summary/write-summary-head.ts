import {writeSafetensors} from '../weights/write-safetensors.ts';
import {type SummaryHead, summaryPartNames} from './summary-head.ts';

export type WriteSummaryHeadOptions = {
  /** Fingerprint that the model has without a head. */
  readonly model: string;
  /** @default 'F16' */
  readonly floatType?: 'F32' | 'F16';
};

/**
 * Writes a summary head as a safetensors file; one that is there is replaced as a whole.
 *
 * @returns Bytes written.
 * @throws {ModelError} If the file cannot be written.
 */
export async function writeSummaryHead(
  path: string,
  {lexical, sketch, transformer, shares}: SummaryHead,
  {model, floatType = 'F16'}: WriteSummaryHeadOptions,
): Promise<number> {
  const {vocabularySize, pairBuckets, inverseFrequencies, dimension} = sketch.weights;
  const {width, mean, projection} = transformer.weights;
  const tensors = new Map([
    ['lexical.projection', {shape: [vocabularySize, lexical.dimension], data: lexical.weights.projection}],
    ['lexical.bias', {shape: [lexical.dimension], data: lexical.weights.bias}],
    ['sketch.inverse_frequencies', {shape: [inverseFrequencies.length], data: inverseFrequencies}],
    ['transformer.mean', {shape: [mean.length], data: mean}],
    ['transformer.projection', {shape: [mean.length, transformer.dimension], data: projection}],
  ]);
  const metadata = {
    model,
    vocabularySize: String(vocabularySize),
    pairBuckets: String(pairBuckets),
    'sketch.dimension': String(dimension),
    'transformer.width': String(width),
    ...Object.fromEntries(summaryPartNames.map(name => [`share.${name}`, String(shares[name])])),
  };
  return await writeSafetensors(path, tensors, {floatType, metadata});
}
