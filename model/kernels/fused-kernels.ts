import {positionKeys} from '../position-keys.ts';
import type {Precision} from '../precision.ts';
import {tf} from '../tf.ts';
import {composedKernels} from './composed-kernels.ts';
import type {AttentionInput, AttentionOutput, Kernels, MemorySlots, RowPlace} from './kernels.ts';

type Attribute = {readonly name: string; readonly type: number; readonly value: number};

/** What is used of tfjs-node's backend: any operation of TensorFlow by its name. */
type NodeBackend = {
  readonly isUsingGpuDevice: boolean;
  readonly binding: {readonly TF_ATTR_INT: number};
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
};

/** Runs an operation of model/engine/fused/ with its attribute "size"; `listed` is how many of the first inputs are a list. */
type Run = (
  operation: string,
  inputs: readonly tf.Tensor[],
  options?: {readonly size?: number; readonly outputs?: number; readonly listed?: number},
) => tf.Tensor[];

/**
 * Kernels of the native engine that "palimpsest native install" builds, each one pass over memory (model/engine/fused/). They have no
 * gradients.
 *
 * @returns `undefined` if the current engine does not have them, or its processor does not multiply in that precision.
 */
export function fusedKernels(precision: Precision = 'float32'): Kernels | undefined {
  const backend = tf.backend() as unknown as NodeBackend;
  if (backend.binding === undefined || backend.isUsingGpuDevice) return undefined;
  const {TF_ATTR_INT} = backend.binding;
  const run: Run = (operation, inputs, {size = 0, outputs = 1, listed = 0} = {}) => {
    const attributes = [{name: 'size', type: TF_ATTR_INT, value: size}];
    if (listed > 0) attributes.push({name: 'N', type: TF_ATTR_INT, value: listed});
    return backend.executeMultipleOutputs(`Palimpsest${operation}`, attributes, inputs, outputs);
  };
  const suffix = precision === 'bfloat16' ? 'Bfloat16' : '';
  const multiply: Run = (operation, inputs, options) => run(`${operation}${suffix}`, inputs, options);
  const kernels: Kernels = {
    packMatrix: (matrix, {transposed = false} = {}) => ({
      packed: multiply('PackMatrix', [matrix], {size: Number(transposed)})[0]!,
      columns: matrix.shape[transposed ? 0 : 1],
    }),
    positionKeys,
    packPositions: keys => multiply('PackPositions', [keys])[0] as tf.Tensor3D,
    embed: composedKernels.embed,
    layerNormalisation: (x, {gain, bias}) => run('LayerNormalisation', [x, gain, bias])[0] as tf.Tensor2D,
    dense: (x, {packed, columns}) => multiply('Dense', [x, packed], {size: columns})[0] as tf.Tensor2D,
    addDense: (x, y, {packed}) => multiply('AddDense', [x, y, packed])[0] as tf.Tensor2D,
    projectHeads: (rows, {packed, columns}, heads) => {
      const outputs = columns / rows.shape[2];
      const operation = outputs === 2 ? 'ProjectKeysValues' : 'ProjectQueriesKeysValues';
      return multiply(operation, [rows, packed], {size: heads, outputs}) as tf.Tensor4D[];
    },
    feedForward: (x, {normalisation: {gain, bias}, inner, innerBias, outer, outerBias}) =>
      multiply('FeedForward', [x, gain, bias, inner.packed, innerBias, outer.packed, outerBias])[0] as tf.Tensor2D,
    surprisal: (hidden, tokens, {packed, columns}) =>
      multiply('Surprisal', [hidden, packed, tokens], {size: columns})[0] as tf.Tensor1D,
    sumTokens: (hidden, lengths) => run('SumTokens', [hidden, lengths])[0] as tf.Tensor2D,
    appendSlots: (memories, added) => {
      // What is added takes the place of all slots: nothing is copied.
      if (added[0].shape[1] === memories[0].shape[1]) return composedKernels.appendSlots(memories, added);
      return run('AppendSlots', [...memories, ...added], {outputs: 3}) as unknown as MemorySlots;
    },
    gatherRows: <T extends tf.Tensor>(tensors: readonly T[], places: readonly RowPlace[], axis: number) =>
      tf.tidy(() => {
        const chosen = tf.tensor2d(places.flat(), [places.length, 2], 'int32');
        return run('GatherRows', [...tensors, chosen], {size: axis, listed: tensors.length})[0] as T;
      }),
    visibleKeys: counts => ({counts}),
    attend: input => attend(input, multiply),
  };
  try {
    tf.tidy(() => void kernels.packMatrix(tf.zeros([1, 1])));
  } catch {
    // The addon was built without them: it is tfjs-node's own, or for a processor that cannot.
    return undefined;
  }
  return kernels;
}

function attend(
  {queries, keys, values, memory, weights, visible, needsReceived}: AttentionInput,
  multiply: Run,
): AttentionOutput {
  const [heads, batch, , headWidth] = queries.shape;
  const noSlots = () => tf.zeros<tf.Rank.R4>([heads, batch, 0, headWidth]);
  const inputs = [
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
  ];
  if (!needsReceived) return {mixed: multiply('RelativeAttention', inputs)[0] as tf.Tensor2D};
  const [mixed, received] = multiply('RelativeAttentionReceived', inputs, {outputs: 2}) as tf.Tensor2D[];
  return {mixed: mixed!, received: received!};
}
