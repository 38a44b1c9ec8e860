import {buildStructure} from '../model/compile/build-structure.ts';
import {flattenTensors} from '../model/compile/flatten-tensors.ts';
import type {StructureTemplate} from '../model/compile/structure-template.ts';
import type {ModelConfig} from '../model/model-config.ts';
import type {RememberedRows} from '../model/project-memory.ts';
import {tf} from '../model/tf.ts';
import type {CompressionLossName} from './compression-loss.ts';
import {Dropout} from './dropout.ts';
import type {TrainingKernels} from './kernels/training-kernels.ts';
import type {AdamSchedule, AdamWeight} from './optimiser/adam.ts';
import {clipFactor} from './optimiser/clip-factor.ts';
import type {TrainableWeights} from './trainable-weights.ts';
import {type TrainingSegment, trainingLoss} from './training-loss.ts';

/** Tensors by the names of {@link TrainableWeights}. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

export type TrainingStepInputs = {
  readonly weights: NamedTensors;
  readonly segments: readonly TrainingSegment[];
  /** The memory before, of each layer. */
  readonly layers: readonly RememberedRows[];
  /** Gradients of the calls since the last update; absent if there were none. */
  readonly accumulated?: NamedTensors;
  /** Of the dropout masks. int32 [2] */
  readonly seed: tf.Tensor1D;
  /** Absent if the call only accumulates. */
  readonly update?: {
    readonly first: NamedTensors;
    readonly second: NamedTensors;
    readonly schedule: AdamSchedule;
  };
};

export type TrainingStepOptions = {
  readonly config: ModelConfig;
  readonly trainable: TrainableWeights;
  readonly compressionLoss: CompressionLossName;
  readonly kernels: TrainingKernels;
  /** Probability of dropping. */
  readonly dropout: number;
  /** Greatest global norms of the two groups' gradients. */
  readonly clip: {readonly main: number; readonly auxiliary: number};
};

export type TrainingStepOutputs = {
  /** Of each document's targets, in nats. [B, u·n] */
  readonly nats: tf.Tensor2D;
  /** [] */
  readonly auxiliaryLoss?: tf.Scalar;
  /** The memory after the segments. */
  readonly layers: readonly RememberedRows[];
  /** If the call only accumulates: the gradients so far. */
  readonly accumulated?: NamedTensors;
  /** If it updates. */
  readonly updated?: {
    readonly weights: NamedTensors;
    readonly first: NamedTensors;
    readonly second: NamedTensors;
    /** Squared norm of each weight's gradient before clipping, main ones first, in the order of their group. [P] */
    readonly squaredNorms: tf.Tensor1D;
  };
};

/**
 * Forward, backward, clipping and Adam: a pure function of tensors whose shapes depend on the batch alone, so that it can be compiled.
 *
 * The norms of the two groups are clipped apart: by a common one, compressors would slow the network down and it them.
 */
export function trainingStep(
  {weights, segments, layers, accumulated, seed, update}: TrainingStepInputs,
  {config, trainable, compressionLoss, kernels, dropout, clip}: TrainingStepOptions,
): TrainingStepOutputs {
  const groups = [[...trainable.main.keys()], [...trainable.auxiliary.keys()]] as const;
  const names = groups.flat();
  let kept: tf.Tensor[] = [];
  let template: StructureTemplate | undefined;
  const loss = () => {
    const {main, auxiliary, ...rest} = trainingLoss(segments, layers, {
      config,
      weight: name => weights[name]!,
      compressionLoss,
      kernels,
      ...(dropout > 0 && {dropout: new Dropout(dropout, {seed, kernels})}),
    });
    const results = flattenTensors({...rest, ...(auxiliary && {auxiliaryLoss: auxiliary})});
    // The scope of the tape ends with this function.
    kept = results.tensors.map(tf.keep);
    template = results.template;
    return auxiliary === undefined ? main : tf.add(main, auxiliary);
  };
  const {value, grads} = tf.engine().gradients(
    loss,
    names.map(name => weights[name]!),
    undefined,
    true,
  );
  const outputs = buildStructure(template!, kept.map(tf.clone)) as Omit<TrainingStepOutputs, 'accumulated' | 'updated'>;
  tf.dispose([value, ...kept]);
  const gradients = names.map((name, index) => {
    const gradient = grads[index] ?? tf.zerosLike(weights[name]!);
    return accumulated === undefined ? gradient : tf.add(gradient, accumulated[name]!);
  });
  const named = (tensors: readonly tf.Tensor[]) => Object.fromEntries(tensors.map((tensor, i) => [names[i]!, tensor]));
  if (update === undefined) return {...outputs, accumulated: named(gradients)};

  const squares = tf.stack(gradients.map(gradient => kernels.squaredNorm(gradient))) as tf.Tensor1D; // [P]
  const factors = groups.map((group, index) => {
    if (group.length === 0) return undefined;
    const norm = tf.sqrt(tf.sum(tf.slice1d(squares, index === 0 ? 0 : groups[0].length, group.length))) as tf.Scalar;
    return clipFactor(norm, index === 0 ? clip.main : clip.auxiliary);
  });
  const updated: AdamWeight[] = gradients.map((gradient, index) => {
    const name = names[index]!;
    const before = {weight: weights[name]!, first: update.first[name]!, second: update.second[name]!};
    const factor = factors[index < groups[0].length ? 0 : 1]!;
    return kernels.adam(before, gradient, {...update.schedule, factor});
  });
  return {
    ...outputs,
    updated: {
      weights: named(updated.map(({weight}) => weight)),
      first: named(updated.map(({first}) => first)),
      second: named(updated.map(({second}) => second)),
      squaredNorms: squares,
    },
  };
}
