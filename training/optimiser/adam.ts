import {tf} from '../../model/tf.ts';

/** A weight, and what Adam keeps of its gradients: tensors of the weight's shape. */
export type AdamWeight = {
  readonly weight: tf.Tensor;
  /** Moving average of the gradient. */
  readonly first: tf.Tensor;
  /** Moving average of its square. */
  readonly second: tf.Tensor;
};

/** What changes from update to update; scalars. */
export type AdamSchedule = {
  readonly learningRate: tf.Scalar;
  /** 1 − β₁ᵗ for update t = 1, 2, … */
  readonly firstCorrection: tf.Scalar;
  /** 1 − β₂ᵗ */
  readonly secondCorrection: tf.Scalar;
};

export const adamDecay = {first: 0.9, second: 0.999} as const;
const epsilon = 1e-8;

/** One update of Adam with bias correction (Kingma & Ba 2015, algorithm 1): a pure function, whose state goes in and comes out. */
export function adam(
  {weight, first, second}: AdamWeight,
  gradient: tf.Tensor,
  {learningRate, firstCorrection, secondCorrection}: AdamSchedule,
): AdamWeight {
  const moved = tf.add(tf.mul(first, adamDecay.first), tf.mul(gradient, 1 - adamDecay.first));
  const spread = tf.add(tf.mul(second, adamDecay.second), tf.mul(tf.square(gradient), 1 - adamDecay.second));
  const denominator = tf.add(tf.sqrt(tf.div(spread, secondCorrection)), epsilon);
  const update = tf.mul(tf.div(tf.div(moved, firstCorrection), denominator), learningRate);
  return {weight: tf.sub(weight, update), first: moved, second: spread};
}
