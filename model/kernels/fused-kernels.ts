import * as tf from '@tensorflow/tfjs';
import {composedAttention} from './composed-attention.ts';
import type {AttentionInput, AttentionOutput, Kernels} from './kernels.ts';

/** What is used of tfjs-node's backend: any operation of TensorFlow by its name. */
type NodeBackend = {
  readonly isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: readonly [], inputs: readonly tf.Tensor[]): tf.Tensor;
};

/**
 * Kernels of the native engine that "palimpsest native install" builds, each one pass over memory (model/engine/fused/). They have no
 * gradients.
 *
 * @returns `undefined` if the current engine does not have them.
 */
export function fusedKernels(): Kernels | undefined {
  const backend = tf.backend() as unknown as Partial<NodeBackend>;
  if (backend.executeSingleOutput === undefined || backend.isUsingGpuDevice) return undefined;
  const run = <T extends tf.Tensor>(name: string, inputs: readonly tf.Tensor[]): T =>
    backend.executeSingleOutput!(`Palimpsest${name}`, [], inputs) as T;
  const kernels: Kernels = {
    layerNormalisation: (x, gain, bias) => run('LayerNormalisation', [x, gain, bias]),
    biasRelu: (x, bias) => run('BiasRelu', [x, bias]),
    addWithBias: (x, y, bias) => run('AddWithBias', [x, y, bias]),
    logSumExp: x => run('LogSumExp', [x]),
    attend: input => (input.needsReceived ? composedAttention(input) : attend(input, run)),
  };
  try {
    tf.tidy(() => void kernels.biasRelu(tf.zeros([1, 1]), tf.zeros([1])));
  } catch {
    // The addon was built without them: it is tfjs-node's own.
    return undefined;
  }
  return kernels;
}

function attend(
  {queries, keys, values, memory, weights, visible}: AttentionInput,
  run: (name: string, inputs: readonly tf.Tensor[]) => tf.Tensor2D,
): AttentionOutput {
  const [heads, batch, , headWidth] = queries.shape;
  const noSlots = () => tf.zeros<tf.Rank.R4>([heads, batch, 0, headWidth]);
  return {
    mixed: run('RelativeAttention', [
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
      visible.counts,
    ]),
  };
}
