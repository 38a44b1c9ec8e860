import type * as tf from '@tensorflow/tfjs';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {LayerMemory} from './memory.ts';

/** What is kept of one layer's memory without its projections, which follow from the weights. */
export type RememberedRows = Pick<LayerMemory, 'rows' | 'compressedRows' | 'attentionMass'>;

/** Projects the remembered rows of a layer anew. Differentiable in the weights, which cached projections are not. */
export function projectMemory(
  remembered: RememberedRows,
  {weights, heads, kernels}: {weights: LayerWeights; heads: number; kernels: Kernels},
): LayerMemory {
  const project = (rows: tf.Tensor3D) => kernels.projectHeads(rows, weights.keyValue, heads);
  const {rows, compressedRows} = remembered;
  const [keys, values] = rows === undefined ? [] : project(rows);
  const [compressedKeys, compressedValues] = compressedRows === undefined ? [] : project(compressedRows);
  return {
    ...remembered,
    ...(rows !== undefined && {keys: keys!, values: values!}),
    ...(compressedRows !== undefined && {compressedKeys: compressedKeys!, compressedValues: compressedValues!}),
  };
}
