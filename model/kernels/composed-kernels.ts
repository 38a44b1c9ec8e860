import {attentionMask} from '../attention-mask.ts';
import {joinSlices} from '../join-slices.ts';
import {positionKeys} from '../position-keys.ts';
import {tf} from '../tf.ts';
import {composedAttention} from './composed-attention.ts';
import {type ComposedMatrix, composedDense} from './composed-dense.ts';
import {composedFeedForwardSublayer} from './composed-feed-forward-sublayer.ts';
import {composedGatherRows} from './composed-gather-rows.ts';
import {composedProjectHeads} from './composed-project-heads.ts';
import {composedSumTokens} from './composed-sum-tokens.ts';
import {composedSurprisal} from './composed-surprisal.ts';
import type {Kernels} from './kernels.ts';
import {layerNormalisation} from './layer-normalisation.ts';

/** Kernels put together from tfjs operations: they run on every engine and have gradients. */
export const composedKernels: Kernels = {
  packMatrix: (matrix, {transposed = false} = {}): ComposedMatrix => ({
    packed: matrix,
    columns: matrix.shape[transposed ? 0 : 1],
    transposed,
  }),
  positionKeys,
  packPositions: keys => keys,
  embed: (tokens, embedding) => tf.mul(tf.gather(embedding, tf.reshape(tokens, [-1])), Math.sqrt(embedding.shape[1])),
  layerNormalisation,
  dense: composedDense,
  addDense: (x, y, matrix) => tf.add(x, composedDense(y, matrix)),
  projectHeads: (rows, matrix, heads) => composedProjectHeads(rows, matrix, {heads, dense: composedDense}),
  feedForward: (x, weights) => tf.add(x, composedFeedForwardSublayer(x, weights)),
  surprisal: composedSurprisal,
  sumTokens: composedSumTokens,
  appendSlots: ([rows, keys, values], [newRows, newKeys, newValues]) => {
    const slots = {start: newRows.shape[1], size: rows.shape[1]};
    return [
      joinSlices([rows, newRows], {axis: 1, ...slots}),
      joinSlices([keys, newKeys], {axis: 2, ...slots}),
      joinSlices([values, newValues], {axis: 2, ...slots}),
    ];
  },
  gatherRows: composedGatherRows,
  visibleKeys: (counts, config) => ({counts, mask: attentionMask(counts, config)}),
  attend: composedAttention,
};
