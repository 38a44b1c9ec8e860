import * as tf from '@tensorflow/tfjs';
import type {ComposedMatrix} from '../../model/kernels/composed-dense.ts';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import type {Precision} from '../../model/precision.ts';
import {composedTrainingKernels} from './composed-training-kernels.ts';
import {fusedAttention} from './fused-attention.ts';
import {fusedProjectHeads} from './fused-project-heads.ts';
import {TensorflowOperations} from './tensorflow-operations.ts';
import type {TrainingKernels} from './training-kernels.ts';

/**
 * Training kernels of the native engine that "palimpsest native install" builds, with gradients of their own (model/engine/fused/).
 *
 * @param precision How matrix products multiply, forward and backward; their factors are rounded as they are packed, sums are float32.
 * @returns `undefined` if the current engine does not have them, or its processor does not multiply in that precision.
 */
export function fusedTrainingKernels(precision: Precision = 'float32'): TrainingKernels | undefined {
  if (fusedKernels(precision) === undefined) return undefined;
  const operations = new TensorflowOperations();
  const {run, runAll} = operations;
  const suffix = precision === 'bfloat16' ? 'Bfloat16' : '';
  const multiply = (operation: string, inputs: readonly tf.Tensor[], size = 0) =>
    run(`PalimpsestTraining${operation}${suffix}`, inputs, [operations.size(size)]);
  const columnSums = (x: tf.Tensor) => run('PalimpsestColumnSums', [x]);
  const layerNormalisation: TrainingKernels['layerNormalisation'] = (x, {gain, bias}) =>
    tf.customGrad((given, scale, shift, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor, scale as tf.Tensor]);
      return {
        value: run('PalimpsestLayerNormalisation', [given, scale, shift] as tf.Tensor[]),
        gradFunc: (dy, saved) => runAll('PalimpsestLayerNormalisationGradient', {inputs: [...saved, dy], outputs: 3}),
      };
    })(x, gain, bias) as tf.Tensor2D;
  const dense: TrainingKernels['dense'] = (x, matrix) => {
    const {packed, transposed} = matrix as ComposedMatrix;
    return tf.customGrad((given, weight, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor, weight as tf.Tensor]);
      return {
        value: multiply('Dense', [given, weight] as tf.Tensor[], Number(transposed)),
        gradFunc: (dy, [rows, columns]) => [
          multiply('Dense', [dy, columns!], Number(!transposed)),
          multiply('WeightGradient', transposed ? [dy, rows!] : [rows!, dy]),
        ],
      };
    })(x, packed) as tf.Tensor2D;
  };
  // relu(x W_inner + b_inner) W_outer + b_outer
  const feedForward = (x: tf.Tensor2D, ...weights: readonly tf.Tensor[]) =>
    tf.customGrad((...given) => {
      const save = given.pop() as tf.GradSaveFunc;
      const [rows, inner, innerBias, outer, outerBias] = given as tf.Tensor[];
      const hidden = multiply('DenseBias', [rows!, inner!, innerBias!], 1); // [S, f]
      save([rows!, inner!, outer!, hidden]);
      return {
        value: multiply('DenseBias', [hidden, outer!, outerBias!]),
        gradFunc: (dy, saved) => {
          const [before, first, second, positive] = saved as tf.Tensor[];
          const slope = multiply('RectifiedGradient', [dy, second!, positive!]); // [S, f]
          return [
            multiply('Dense', [slope, first!], 1),
            multiply('WeightGradient', [before!, slope]),
            columnSums(slope),
            multiply('WeightGradient', [positive!, dy]),
            columnSums(dy),
          ];
        },
      };
    })(x, ...weights) as tf.Tensor2D;
  const feedForwardSublayer: TrainingKernels['feedForwardSublayer'] = (x, {normalisation, ...weights}) =>
    feedForward(
      layerNormalisation(x, normalisation),
      weights.inner.packed,
      weights.innerBias,
      weights.outer.packed,
      weights.outerBias,
    );
  return {
    ...composedTrainingKernels,
    layerNormalisation,
    dense,
    addDense: (x, y, matrix) => tf.add(x, dense(y, matrix)),
    projectHeads: (rows, {packed}, heads) =>
      fusedProjectHeads(rows, packed as tf.Tensor2D, {heads, suffix, operations}),
    feedForward: (x, weights) => tf.add(x, feedForwardSublayer(x, weights)),
    feedForwardSublayer,
    attend: input =>
      input.needsReceived ? composedTrainingKernels.attend(input) : fusedAttention(input, {operations, suffix}),
    crossEntropy: (logits, targets) =>
      tf.customGrad((scores, save) => {
        const [loss, slope] = runAll('SparseSoftmaxCrossEntropyWithLogits', {
          inputs: [scores as tf.Tensor, targets],
          outputs: 2,
          attributes: [operations.type('Tlabels', 'int32')],
        });
        (save as tf.GradSaveFunc)([slope!]);
        return {value: loss!, gradFunc: (dy, [saved]) => tf.mul(saved!, tf.expandDims(dy, 1))};
      })(logits) as tf.Tensor1D,
    squaredNorm: gradient => tf.mul(run('L2Loss', [gradient]), 2),
    adam: ({weight, first, second}, gradient, {factor, learningRate, firstCorrection, secondCorrection}) => {
      const [updated, moved, squared] = runAll('PalimpsestAdam', {
        inputs: [weight, first, second, gradient, factor, learningRate, firstCorrection, secondCorrection],
        outputs: 3,
      });
      return {weight: updated!, first: moved!, second: squared!};
    },
  };
}
