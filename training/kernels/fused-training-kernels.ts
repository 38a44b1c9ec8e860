import type {ComposedMatrix} from '../../model/kernels/composed-dense.ts';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import type {FeedForwardWeights} from '../../model/layer-weights.ts';
import {positionTable} from '../../model/position-table.ts';
import type {Precision} from '../../model/precision.ts';
import {tf} from '../../model/tf.ts';
import {composedTrainingKernels} from './composed-training-kernels.ts';
import {fusedAttention} from './fused-attention.ts';
import {fusedOperation} from './fused-operation.ts';
import {TensorflowOperations} from './tensorflow-operations.ts';
import type {DropOptions, TrainingKernels} from './training-kernels.ts';

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
  const addDense: TrainingKernels['addDense'] = (x, y, {packed}) =>
    tf.customGrad((before, given, weight, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor, weight as tf.Tensor]);
      return {
        value: multiply('AddDense', [given, weight, before] as tf.Tensor[]),
        gradFunc: (dy, [rows, columns]) => [
          tf.clone(dy),
          multiply('Dense', [dy, columns!], 1),
          multiply('WeightGradient', [rows!, dy]),
        ],
      };
    })(x, y, packed) as tf.Tensor2D;
  // relu(x W_inner + b_inner) W_outer + b_outer, and what it is added to, if anything.
  const feedForward = (
    {normalisation, inner, innerBias, outer, outerBias}: FeedForwardWeights,
    x: tf.Tensor2D,
    ...added: readonly tf.Tensor2D[]
  ) =>
    tf.customGrad((...given) => {
      const save = given.pop() as tf.GradSaveFunc;
      const [rows, first, firstBias, second, secondBias, ...before] = given as tf.Tensor[];
      const hidden = multiply('DenseBias', [rows!, first!, firstBias!], 1); // [S, f]
      save([rows!, first!, second!, hidden]);
      return {
        value: multiply(before.length === 0 ? 'DenseBias' : 'AddDenseBias', [hidden, second!, secondBias!, ...before]),
        gradFunc: (dy, saved) => {
          const [before, first, second, positive] = saved as tf.Tensor[];
          const slope = multiply('RectifiedGradient', [dy, second!, positive!]); // [S, f]
          return [
            multiply('Dense', [slope, first!], 1),
            multiply('WeightGradient', [before!, slope]),
            columnSums(slope),
            multiply('WeightGradient', [positive!, dy]),
            columnSums(dy),
            ...added.map(() => tf.clone(dy)),
          ];
        },
      };
    })(layerNormalisation(x, normalisation), inner.packed, innerBias, outer.packed, outerBias, ...added) as tf.Tensor2D;
  const projectHeads = [2, 3].map(parts => {
    const gradient = (operation: string, inputs: readonly tf.Tensor[]) => () =>
      multiply(`ProjectHeads${operation}Gradient${parts}`, inputs);
    return fusedOperation(
      `PalimpsestTrainingProjectHeads${parts}${suffix}`,
      {
        inputs: ['rows', 'matrices'],
        outputs: parts,
        gradient: (dy, {rows, matrices}) => ({
          rows: gradient('Rows', [matrices, ...dy]),
          matrices: gradient('Weight', [rows, ...dy]),
        }),
      },
      operations,
    );
  });
  const nextTokenLoss = fusedOperation(
    `PalimpsestTrainingNextTokenLoss${suffix}`,
    {
      inputs: ['hidden', 'embedding', 'targets', 'weights'],
      outputs: 4,
      saves: [2, 3],
      gradient: ([dy], _, [hidden, embedding]) => ({
        hidden: () => tf.mul(hidden!, dy!),
        embedding: () => tf.mul(embedding!, dy!),
      }),
    },
    operations,
  );
  const reconstruction = fusedOperation(
    `PalimpsestTrainingReconstruction${suffix}`,
    {
      inputs: ['queries', 'oldKeys', 'oldValues', 'keys', 'values', 'evicted', 'documentWeights'],
      outputs: 3,
      saves: [1, 2],
      gradient: ([dy], _, [keys, values]) => ({
        keys: () => tf.mul(keys!, dy!),
        values: () => tf.mul(values!, dy!),
      }),
    },
    operations,
  );
  const drop = <T extends tf.Tensor>(x: T, {rate, seed}: DropOptions): T => {
    const dropped = (given: tf.Tensor, by: tf.Tensor) => run('PalimpsestDropElements', [given, by, tf.scalar(rate)]);
    // Which elements are dropped follows from the seed: so do those of the gradient.
    return tf.customGrad((given, save) => {
      (save as tf.GradSaveFunc)([seed]);
      return {value: dropped(given as tf.Tensor, seed), gradFunc: (dy, [saved]) => dropped(dy, saved!)};
    })(x) as T;
  };
  return {
    ...composedTrainingKernels,
    layerNormalisation,
    dense,
    addDense,
    positionKeys: (projection, {slots, segmentLength, heads}) => {
      const table = positionTable(projection.shape[0], {slots, segmentLength}); // [w, d]
      return tf.customGrad((given, save) => {
        (save as tf.GradSaveFunc)([table]);
        return {
          value: run('PalimpsestTrainingPositionKeys', [table, given as tf.Tensor], [operations.size(heads)]),
          gradFunc: (dy, [saved]) => run('PalimpsestTrainingPositionKeysGradient', [saved!, dy]),
        };
      })(projection) as tf.Tensor3D;
    },
    projectHeads: (rows, {packed, columns}, heads) => {
      const project = projectHeads[columns / rows.shape[2] - 2]!;
      return project({rows, matrices: packed}, [operations.size(heads)]) as tf.Tensor4D[];
    },
    feedForward: (x, weights) => feedForward(weights, x, x),
    feedForwardSublayer: (x, weights) => feedForward(weights, x),
    drop,
    attend: input =>
      input.needsReceived ? composedTrainingKernels.attend(input) : fusedAttention(input, {operations, suffix}),
    nextTokenLoss: ({hidden, targets, weights, vocabulary}) => {
      const [loss, nats] = nextTokenLoss({hidden, embedding: vocabulary.packed, targets, weights});
      return {loss: loss as tf.Scalar, nats: nats as tf.Tensor1D};
    },
    attentionReconstruction: ({
      queries,
      old,
      compressed: {keys, values},
      evicted,
      documentWeights,
      compressionRate,
    }) => {
      const inputs = {queries, oldKeys: old.keys, oldValues: old.values, keys, values, evicted, documentWeights};
      return reconstruction(inputs, [operations.size(compressionRate)])[0] as tf.Scalar;
    },
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
