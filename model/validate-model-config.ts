import {type CompressorName, compressorNames} from './compressor-name.ts';
import type {ModelConfig} from './model-config.ts';

/** Rows beyond the evicted ones that the dilated convolution looks at: dilations 1 + 2 + 4. */
const dilatedLookAhead = 7;

const mostLayers = 1024;

/**
 * Checks the sizes of a model, also against each other.
 *
 * @throws {TypeError} If a size is not a number, or the compressor not a string.
 * @throws {RangeError} If a value is out of range; names the field.
 */
export function validateModelConfig(config: ModelConfig): void {
  for (const field of [
    'segmentLength',
    'compressionRate',
    'layers',
    'heads',
    'modelWidth',
    'feedForwardWidth',
    'vocabularySize',
  ] as const) {
    checkSize(field, {value: config[field], least: 1, rule: 'a positive integer'});
  }
  for (const field of ['memoryLength', 'compressedMemoryLength'] as const) {
    checkSize(field, {value: config[field], least: 0, rule: 'zero or a positive integer'});
  }
  const {layers, modelWidth, heads, compressor} = config;
  // What is made for each layer is made before a file of weights is looked at.
  if (layers > mostLayers) throw new RangeError(message(`layers must be at most ${mostLayers}`, layers));
  if (typeof compressor !== 'string') throw new TypeError(message('compressor must be a string', compressor));
  if (!compressorNames.includes(compressor as CompressorName)) {
    throw new RangeError(message(`compressor must be one of ${compressorNames.join(', ')}`, compressor));
  }
  if (modelWidth % 2 !== 0) throw new RangeError(message('modelWidth must be even', modelWidth));
  if (modelWidth % heads !== 0) {
    throw new RangeError(message(`modelWidth must be divisible by heads (${heads})`, modelWidth));
  }
  if (config.compressedMemoryLength > 0) checkMemoryLength(config);
}

function checkMemoryLength({segmentLength, memoryLength, compressionRate, compressor}: ModelConfig): void {
  const whole = segmentLength % compressionRate === 0 && memoryLength % compressionRate === 0;
  const least = (whole ? 0 : compressionRate - 1) + (compressor === 'dilated-convolution' ? dilatedLookAhead : 0);
  if (memoryLength >= least) return;
  const reasons = [
    ...(whole
      ? []
      : [
          `segmentLength (${segmentLength}) and memoryLength are not both multiples of compressionRate (${compressionRate})`,
        ]),
    ...(compressor === 'dilated-convolution' ? [`dilated-convolution looks ${dilatedLookAhead} rows ahead`] : []),
  ];
  throw new RangeError(message(`memoryLength must be at least ${least}, for ${reasons.join(' and ')}`, memoryLength));
}

function checkSize(field: string, {value, least, rule}: {value: unknown; least: number; rule: string}): void {
  if (typeof value !== 'number') throw new TypeError(message(`${field} must be ${rule}`, value));
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(message(`${field} must be ${rule}`, value));
}

function message(rule: string, value: unknown): string {
  return `Cannot construct a Compressive Transformer as ${rule}: current value is ${String(value)}`;
}
