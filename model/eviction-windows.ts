import {dilations} from './compressors/dilated-convolution.ts';
import type {ModelConfig} from './model-config.ts';

/** The places that a step sets aside for evicted rows. */
export type EvictionWindows = {
  /** E: windows of c rows. */
  readonly windows: number;
  /** a: rows behind them that the compressor looks at as well. */
  readonly lookAhead: number;
};

/** How many rows a step may evict, and what its compressor needs besides. */
export function evictionWindows({segmentLength, compressionRate, compressor}: ModelConfig): EvictionWindows {
  return {
    windows: Math.ceil(segmentLength / compressionRate),
    lookAhead: compressor === 'dilated-convolution' ? dilations.reduce((sum, dilation) => sum + dilation, 0) : 0,
  };
}
