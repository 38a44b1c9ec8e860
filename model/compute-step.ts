import type {Kernels} from './kernels/kernels.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import type {PreparedWeights} from './prepare-weights.ts';
import {readSegment} from './read-segment.ts';
import {tf} from './tf.ts';
import type {UpdatePlan} from './update-plan.ts';

/** Everything that changes from step to step. */
export type StepInputs = {
  /** int32 [B, n] */
  readonly tokens: tf.Tensor2D;
  /** v_m and v_cm of each document. int32 [B, 2] */
  readonly counts: tf.Tensor2D;
  /** Final hidden vector of the last token read. [B, d] */
  readonly lastHidden: tf.Tensor2D;
  /** The memory of each layer. */
  readonly layers: readonly LayerMemory[];
  /** Without it the memory is only read. */
  readonly plan?: UpdatePlan;
};

export type StepOutputs = {
  /** Final hidden vectors. [B, n, d] */
  readonly hidden: tf.Tensor3D;
  /** In bits. [B, n] */
  readonly surprisal: tf.Tensor2D;
  /** After the segment, if there was a plan. */
  readonly memory?: {readonly lastHidden: tf.Tensor2D; readonly layers: readonly LayerMemory[]};
};

/** One segment of each document through the network and its loss: a pure function of tensors whose shapes depend on B alone. */
export function computeStep(
  {tokens, counts, lastHidden, layers, plan}: StepInputs,
  {config, weights, kernels}: {config: ModelConfig; weights: PreparedWeights; kernels: Kernels},
): StepOutputs {
  const read = readSegment(tokens, layers, {config, weights, counts, kernels, ...(plan !== undefined && {plan})});
  const {hidden} = read;
  const [batch, n, d] = hidden.shape;
  const before = tf.concat([tf.expandDims(lastHidden, 1), tf.slice(hidden, [0, 0, 0], [-1, n - 1, -1])], 1); // [B, n, d]
  const bits = kernels.surprisal(
    tf.reshape(before, [batch * n, d]) as tf.Tensor2D,
    tf.reshape(tokens, [-1]) as tf.Tensor1D,
    weights.vocabulary,
  );
  return {
    hidden,
    surprisal: tf.reshape(bits, [batch, n]) as tf.Tensor2D,
    ...(read.layers !== undefined && {
      memory: {
        lastHidden: tf.reshape(tf.slice(hidden, [0, n - 1, 0], [-1, 1, -1]), [batch, d]) as tf.Tensor2D,
        layers: read.layers,
      },
    }),
  };
}
