import type {AttentionInput, AttentionOutput} from '../../model/kernels/kernels.ts';
import {tf} from '../../model/tf.ts';
import type {TensorflowOperations} from './tensorflow-operations.ts';

/** Attention, by operations whose names end with `suffix`, whose scores never leave the processor's cache, forward nor backward (model/engine/fused/attention-gradient.h). */
export function fusedAttention(
  {queries, keys, values, memory, weights, visible}: AttentionInput,
  {operations: {runAll}, suffix}: {operations: TensorflowOperations; suffix: string},
): AttentionOutput {
  const [heads, batch, , headWidth] = queries.shape;
  const noSlots = () => tf.zeros<tf.Rank.R4>([heads, batch, 0, headWidth]);
  const all = [
    queries,
    weights.contentBias,
    weights.positionBias,
    weights.positionKeys,
    weights.compressedPositionBias ?? weights.positionBias,
    weights.compressedPositionKeys ?? weights.positionKeys,
    memory.compressedKeys ?? noSlots(),
    memory.compressedValues ?? noSlots(),
    memory.keys ?? noSlots(),
    memory.values ?? noSlots(),
    keys,
    values,
  ];
  const mixed = tf.customGrad((...given) => {
    const save = given.pop() as tf.GradSaveFunc;
    const inputs = [...(given as tf.Tensor[]), visible.counts];
    const [value, logSums] = runAll(`PalimpsestTrainingAttention${suffix}`, {inputs, outputs: 2});
    save([...inputs, logSums!]);
    return {
      value: value!,
      gradFunc: (dy, saved) =>
        runAll(`PalimpsestTrainingAttentionGradient${suffix}`, {inputs: [...saved, dy], outputs: all.length}),
    };
  })(...all) as tf.Tensor2D; // [B·n, d]
  return {mixed};
}
