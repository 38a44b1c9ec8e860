import {compress} from '../model/compress.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {type PreparedWeights, prepareWeights} from '../model/prepare-weights.ts';
import {projectMemory, type RememberedRows} from '../model/project-memory.ts';
import {readSegment} from '../model/read-segment.ts';
import {stopGradient} from '../model/stop-gradient.ts';
import {tf} from '../model/tf.ts';
import type {LayerCompression} from '../model/update-memory.ts';
import type {UpdatePlan} from '../model/update-plan.ts';
import type {CompressionLossName} from './compression-loss.ts';
import type {Dropout} from './dropout.ts';
import type {TrainingKernels} from './kernels/training-kernels.ts';
import {withDropout} from './kernels/with-dropout.ts';
import {attentionReconstructionLoss} from './losses/attention-reconstruction-loss.ts';
import {autoEncodingLoss} from './losses/auto-encoding-loss.ts';
import type {CompressionSample} from './losses/compression-sample.ts';
import {decoderName} from './trainable-weights.ts';

/** One segment of each document, and what to do with it. */
export type TrainingSegment = {
  /** int32 [B, n] */
  readonly tokens: tf.Tensor2D;
  /** The token after each. int32 [B, n] */
  readonly targets: tf.Tensor2D;
  /** What each target counts; 0 where there is none. [B, n] */
  readonly targetWeights: tf.Tensor2D;
  /** v_m and v_cm of each document. int32 [B, 2] */
  readonly counts: tf.Tensor2D;
  readonly plan: UpdatePlan;
  /** Rows that each document evicts. [B] */
  readonly evicted: tf.Tensor1D;
  /** What the compression loss of each document counts; 0 for those that evict nothing. [B] */
  readonly documentWeights: tf.Tensor1D;
};

export type TrainingLossOptions = {
  readonly config: ModelConfig;
  /** Gives the tensor of a name of {@link trainableWeights}. */
  readonly weight: (name: string) => tf.Tensor;
  readonly compressionLoss: CompressionLossName;
  readonly kernels: TrainingKernels;
  readonly dropout?: Dropout;
};

export type TrainingLoss = {
  /** In nats: the weighted sum over all targets. [] */
  readonly main: tf.Scalar;
  /** Mean over layers of the compression loss; absent if there is none. [] */
  readonly auxiliary?: tf.Scalar;
  /** Of each document's targets, in nats. [B, u·n] */
  readonly nats: tf.Tensor2D;
  /** After the last segment. */
  readonly layers: readonly RememberedRows[];
};

/**
 * The losses of segments that follow each other, the first after a memory: differentiable in the weights.
 *
 * The language-modelling loss reaches a compressor only from a later one of the segments, so that a single one gives it no gradient; the
 * compression loss reaches the compressors, and decoders, alone.
 *
 * @param segments u of them.
 * @param layers The memory before, which counts as constant.
 */
export function trainingLoss(
  segments: readonly TrainingSegment[],
  layers: readonly RememberedRows[],
  {config, weight, compressionLoss, kernels, dropout}: TrainingLossOptions,
): TrainingLoss {
  const {heads} = config;
  const weights = prepareWeights(config, {weight, kernels});
  const dropping = dropout === undefined ? kernels : withDropout(kernels, dropout);
  let remembered = layers;
  const losses: tf.Scalar[] = [];
  const nats: tf.Tensor2D[] = [];
  let auxiliary: tf.Scalar | undefined;
  for (const segment of segments) {
    const {tokens, targets, targetWeights, counts, plan} = segment;
    const memory = remembered.map((layer, index) =>
      projectMemory(layer, {weights: weights.layers[index]!, heads, kernels}),
    );
    const read = readSegment(tokens, memory, {config, weights, counts, plan, kernels: dropping});
    const flat = (tensor: tf.Tensor2D) => tf.reshape(tensor, [-1]) as tf.Tensor1D; // [B·n]
    const hidden = tf.reshape(read.hidden, [-1, config.modelWidth]) as tf.Tensor2D; // [B·n, d]
    const loss = kernels.nextTokenLoss({
      hidden: dropout?.apply(hidden) ?? hidden,
      targets: flat(targets),
      weights: flat(targetWeights),
      vocabulary: weights.vocabulary,
    });
    losses.push(loss.loss);
    nats.push(tf.reshape(loss.nats, tokens.shape) as tf.Tensor2D);
    remembered = read.layers!;
    if (compressionLoss === 'attention-reconstruction' || compressionLoss === 'auto-encoding') {
      auxiliary = compressionLossOf(read.compressions!, segment, {config, weights, weight, compressionLoss, kernels});
    }
  }
  return {
    main: losses.reduce((sum, loss) => tf.add(sum, loss)),
    ...(auxiliary !== undefined && {auxiliary}),
    nats: nats.length === 1 ? nats[0]! : tf.concat2d(nats, 1),
    layers: remembered.map(({rows, compressedRows, attentionMass}) => ({
      ...(rows && {rows}),
      ...(compressedRows && {compressedRows}),
      ...(attentionMass && {attentionMass}),
    })),
  };
}

function compressionLossOf(
  compressions: readonly LayerCompression[],
  {evicted, documentWeights}: TrainingSegment,
  {
    config,
    weights,
    weight,
    compressionLoss,
    kernels,
  }: Omit<TrainingLossOptions, 'dropout'> & {weights: PreparedWeights},
): tf.Scalar {
  const losses = compressions.map(({evicted: given, queries}, index) => {
    const layer = weights.layers[index]!;
    const rows = stopGradient(given.rows); // [B, E·c + a, d]
    const compressed = compress({...given, rows}, {config, weights: layer, kernels}); // [B, E, d]
    const old = tf.slice(rows, [0, 0, 0], [-1, compressed.shape[1] * config.compressionRate, -1]); // [B, E·c, d]
    const sample: CompressionSample = {old, compressed, queries, evicted, documentWeights};
    return compressionLoss === 'auto-encoding'
      ? autoEncodingLoss(sample, weight(decoderName(index)) as tf.Tensor3D, {config, kernels})
      : attentionReconstructionLoss(sample, layer.keyValue, {config, kernels});
  });
  return tf.div(
    losses.reduce((sum, loss) => tf.add(sum, loss)),
    losses.length,
  );
}
