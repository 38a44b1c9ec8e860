import * as tf from '@tensorflow/tfjs';
import {attentionMask} from '../attention-mask.ts';
import {joinSlices} from '../join-slices.ts';
import {composedAttention} from './composed-attention.ts';
import type {Kernels} from './kernels.ts';
import {layerNormalisation} from './layer-normalisation.ts';

/** Kernels put together from tfjs operations: they run on every engine and have gradients. */
export const composedKernels: Kernels = {
  layerNormalisation,
  matMul: (x, weight, transposed = false) => tf.matMul(x, weight, false, transposed),
  biasRelu: (x, bias) => tf.relu(tf.add(x, bias)),
  addWithBias: (x, y, bias) => tf.add(x, tf.add(y, bias)),
  logSumExp: x => tf.logSumExp(x, -1),
  appendSlots: (memory, added) => {
    const axis = memory.rank - 2;
    return joinSlices([memory, added], {axis, start: added.shape[axis]!, size: memory.shape[axis]!});
  },
  visibleKeys: (counts, config) => ({counts, mask: attentionMask(counts, config)}),
  attend: composedAttention,
};
