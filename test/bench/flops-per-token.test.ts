import test from 'ava';
import {flopsPerToken} from '../../bench/flops-per-token.ts';

test('flopsPerToken counts the products of a step by hand', t => {
  const config = {
    ...{
      segmentLength: 3,
      memoryLength: 4,
      compressedMemoryLength: 2,
      compressionRate: 2,
      compressor: 'convolution' as const,
    },
    ...{layers: 2, heads: 1, modelWidth: 10, feedForwardWidth: 20, vocabularySize: 50},
  };
  const keys = 2 + 4 + 2; // of the segment, a token sees 1, 2 or 3
  const layer = 4 * 100 + 3 * 10 * keys + 2 * 200 + 100 + (2 * 100) / 2;
  t.is(flopsPerToken(config), 2 * (2 * layer + 500));
});
