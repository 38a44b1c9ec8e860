import * as tf from '@tensorflow/tfjs';
import type {ComposedMatrix} from '../../model/kernels/composed-dense.ts';
import {composedProjectHeads} from '../../model/kernels/composed-project-heads.ts';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import {composedTrainingKernels} from './composed-training-kernels.ts';
import {fusedAttention} from './fused-attention.ts';
import {TensorflowOperations} from './tensorflow-operations.ts';
import type {TrainingKernels} from './training-kernels.ts';

/**
 * Training kernels of the native engine that "palimpsest native install" builds, with gradients of their own: those of
 * model/engine/fused/, and TensorFlow's where it has a fused one that tfjs does not use.
 *
 * @returns `undefined` if the current engine does not have them.
 */
export function fusedTrainingKernels(): TrainingKernels | undefined {
  if (fusedKernels() === undefined) return undefined;
  const operations = new TensorflowOperations();
  const {run, runAll} = operations;
  const product = (a: tf.Tensor, b: tf.Tensor, transpose: {a?: boolean; b?: boolean}) =>
    run('MatMul', [a, b], [operations.flag('transpose_a', transpose.a), operations.flag('transpose_b', transpose.b)]);
  const layerNormalisation: TrainingKernels['layerNormalisation'] = (x, {gain, bias}) =>
    tf.customGrad((given, scale, shift, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor, scale as tf.Tensor]);
      return {
        value: run('PalimpsestLayerNormalisation', [given, scale, shift] as tf.Tensor[]),
        gradFunc: (dy, saved) => runAll('PalimpsestLayerNormalisationGradient', {inputs: [...saved, dy], outputs: 3}),
      };
    })(x, gain, bias) as tf.Tensor2D;
  // tfjs takes the product of batches, which is slower.
  const dense: TrainingKernels['dense'] = (x, matrix) => {
    const {packed, transposed} = matrix as ComposedMatrix;
    return tf.customGrad((given, weight, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor, weight as tf.Tensor]);
      return {
        value: product(given as tf.Tensor, weight as tf.Tensor, {b: transposed}),
        gradFunc: (dy, [rows, columns]) => [
          product(dy, columns!, {b: !transposed}),
          transposed ? product(dy, rows!, {a: true}) : product(rows!, dy, {a: true}),
        ],
      };
    })(x, packed) as tf.Tensor2D;
  };
  const addBias = (x: tf.Tensor2D, bias: tf.Tensor) =>
    tf.customGrad((given, shift) => ({
      value: run('BiasAdd', [given, shift] as tf.Tensor[]),
      gradFunc: dy => [dy, run('BiasAddGrad', [dy])],
    }))(x, bias) as tf.Tensor2D;
  const biasRelu = (x: tf.Tensor2D, bias: tf.Tensor) =>
    tf.customGrad((given, shift, save) => {
      const value = run('Relu', [run('BiasAdd', [given, shift] as tf.Tensor[])]);
      (save as tf.GradSaveFunc)([value]);
      return {
        value,
        gradFunc: (dy, [positive]) => {
          const slope = run('ReluGrad', [dy, positive!]);
          return [slope, run('BiasAddGrad', [slope])];
        },
      };
    })(x, bias) as tf.Tensor2D;
  const feedForwardSublayer: TrainingKernels['feedForwardSublayer'] = (x, weights) => {
    const normalised = layerNormalisation(x, weights.normalisation); // [S, d]
    const hidden = biasRelu(dense(normalised, weights.inner), weights.innerBias); // [S, f]
    return addBias(dense(hidden, weights.outer), weights.outerBias); // [S, d]
  };
  return {
    ...composedTrainingKernels,
    layerNormalisation,
    dense,
    addDense: (x, y, matrix) => tf.add(x, dense(y, matrix)),
    projectHeads: (rows, matrix, heads) => composedProjectHeads(rows, matrix, {heads, dense}),
    feedForward: (x, weights) => tf.add(x, feedForwardSublayer(x, weights)),
    feedForwardSublayer,
    attend: input => (input.needsReceived ? composedTrainingKernels.attend(input) : fusedAttention(input, operations)),
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
