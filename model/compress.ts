import type * as tf from '@tensorflow/tfjs';
import {convolution} from './compressors/convolution.ts';
import {dilatedConvolution} from './compressors/dilated-convolution.ts';
import type {EvictedRows} from './compressors/evicted-rows.ts';
import {maxPool} from './compressors/max-pool.ts';
import {meanPool} from './compressors/mean-pool.ts';
import {mostUsed} from './compressors/most-used.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {ModelConfig} from './model-config.ts';

/** Compresses evicted rows with the layer's compression function f_c (Rae et al. 2019, section 3.2). → [B, E, d] */
export function compress(
  evicted: EvictedRows,
  {config, weights, kernels}: {config: ModelConfig; weights: LayerWeights; kernels: Kernels},
): tf.Tensor3D {
  switch (config.compressor) {
    case 'mean-pool':
      return meanPool(evicted);
    case 'max-pool':
      return maxPool(evicted);
    case 'convolution':
      return convolution(evicted, {kernel: weights.convolution!, kernels});
    case 'dilated-convolution':
      return dilatedConvolution(evicted, {weights: weights.dilatedConvolution!, kernels});
    case 'most-used':
      return mostUsed(evicted as Required<EvictedRows>);
  }
}
