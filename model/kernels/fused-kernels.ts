import * as tf from '@tensorflow/tfjs';
import {needsReceivedAttention} from '../needs-received-attention.ts';
import {composedAttention} from './composed-attention.ts';
import {composedKernels} from './composed-kernels.ts';
import type {AttentionInput, AttentionOutput, Kernels} from './kernels.ts';

type Attribute = {readonly name: string; readonly type: number; readonly value: boolean | number};

/** What is used of tfjs-node's backend: any operation of TensorFlow by its name. */
type NodeBackend = {
  readonly isUsingGpuDevice: boolean;
  readonly binding: {readonly TF_ATTR_BOOL: number; readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number};
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly tf.Tensor[]): tf.Tensor;
};

/**
 * Kernels of the native engine that "palimpsest native install" builds, each one pass over memory (model/engine/fused/). They have no
 * gradients.
 *
 * @returns `undefined` if the current engine does not have them.
 */
export function fusedKernels(): Kernels | undefined {
  const backend = tf.backend() as unknown as NodeBackend;
  if (backend.binding === undefined || backend.isUsingGpuDevice) return undefined;
  const {TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT} = backend.binding;
  const run = <T extends tf.Tensor>(name: string, inputs: readonly tf.Tensor[]): T =>
    backend.executeSingleOutput(`Palimpsest${name}`, [], inputs) as T;
  const kernels: Kernels = {
    layerNormalisation: (x, gain, bias) => run('LayerNormalisation', [x, gain, bias]),
    // TensorFlow's plain product: tfjs takes the batched one, which is slower.
    matMul: (x, weight, transposed = false) =>
      backend.executeSingleOutput(
        'MatMul',
        [
          {name: 'transpose_a', type: TF_ATTR_BOOL, value: false},
          {name: 'transpose_b', type: TF_ATTR_BOOL, value: transposed},
          {name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT},
        ],
        [x, weight],
      ) as tf.Tensor2D,
    biasRelu: (x, bias) => run('BiasRelu', [x, bias]),
    addWithBias: (x, y, bias) => run('AddWithBias', [x, y, bias]),
    logSumExp: x => run('LogSumExp', [x]),
    appendSlots: (memory, added) => run('AppendSlots', [memory, added]),
    visibleKeys: (counts, config) =>
      needsReceivedAttention(config) ? composedKernels.visibleKeys(counts, config) : {counts},
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
