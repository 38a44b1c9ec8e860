import test from 'ava';
import type {ModelConfig} from '../../model/model-config.ts';
import {validateModelConfig} from '../../model/validate-model-config.ts';

const config: ModelConfig = {
  segmentLength: 8,
  memoryLength: 8,
  compressedMemoryLength: 4,
  compressionRate: 4,
  compressor: 'convolution',
  layers: 2,
  heads: 2,
  modelWidth: 8,
  feedForwardWidth: 16,
  vocabularySize: 256,
};

const accepted: readonly Partial<ModelConfig>[] = [
  {},
  {memoryLength: 0, compressedMemoryLength: 0},
  {memoryLength: 0},
  {segmentLength: 7, memoryLength: 3},
  {segmentLength: 1, memoryLength: 3, compressionRate: 4},
  {memoryLength: 5},
  {compressionRate: 1, memoryLength: 0},
  {compressor: 'dilated-convolution'},
  {compressor: 'dilated-convolution', segmentLength: 7, memoryLength: 10},
  {compressor: 'dilated-convolution', segmentLength: 7, memoryLength: 7, compressionRate: 7},
  {compressor: 'dilated-convolution', memoryLength: 0, compressedMemoryLength: 0},
  {segmentLength: 3, memoryLength: 1, compressedMemoryLength: 0},
  {modelWidth: 6, heads: 3},
];
for (const change of accepted) {
  test(`validateModelConfig accepts ${JSON.stringify(change)}`, t => {
    t.notThrows(() => validateModelConfig({...config, ...change}));
  });
}

const refused: readonly [change: Record<string, unknown>, message: RegExp][] = [
  ...[
    'segmentLength',
    'compressionRate',
    'layers',
    'heads',
    'modelWidth',
    'feedForwardWidth',
    'vocabularySize',
  ].flatMap(field =>
    [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53].map(
      value =>
        [
          {[field]: value},
          new RegExp(
            `^Cannot construct a Compressive Transformer as ${field} must be a positive integer: current value is ${value}$`,
          ),
        ] as [Record<string, unknown>, RegExp],
    ),
  ),
  [{layers: 1025}, /layers must be at most 1024: current value is 1025/],
  [{memoryLength: -1}, /memoryLength must be zero or a positive integer: current value is -1/],
  [{compressedMemoryLength: 0.5}, /compressedMemoryLength must be zero or a positive integer/],
  [{modelWidth: 10, heads: 4}, /modelWidth must be divisible by heads \(4\): current value is 10/],
  [{modelWidth: 9, heads: 3}, /modelWidth must be even: current value is 9/],
  [{compressor: 'zip'}, /compressor must be one of mean-pool, max-pool, .*: current value is zip/],
  [{segmentLength: 7, memoryLength: 2}, /memoryLength must be at least 3, .*current value is 2/],
  [{memoryLength: 2}, /memoryLength must be at least 3/],
  [{compressor: 'dilated-convolution', memoryLength: 4}, /memoryLength must be at least 7, .*current value is 4/],
  [{compressor: 'dilated-convolution', memoryLength: 9}, /memoryLength must be at least 10/],
];
for (const [change, message] of refused) {
  test(`validateModelConfig refuses ${Object.entries(change)
    .map(pair => pair.join(' '))
    .join(', ')}`, t => {
    t.throws(() => validateModelConfig({...config, ...change}), {instanceOf: RangeError, message});
  });
}

test('validateModelConfig refuses what is no number or no name', t => {
  for (const change of [{layers: '2'}, {heads: undefined}, {memoryLength: null}, {compressor: 3}]) {
    t.throws(() => validateModelConfig({...config, ...change} as never), {instanceOf: TypeError});
  }
});
