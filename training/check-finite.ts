import {NumericalError} from '../errors.ts';
import type {RowSegment} from './documents/corpus-rows.ts';

export type StepValues = {
  /** [B, segments, n] */
  readonly nats: Float32Array;
  readonly auxiliaryLoss: number;
  /** Squared norm of each weight's gradient, in steps that update. */
  readonly squares: Float32Array | undefined;
};

/** @throws {NumericalError} If a loss or a gradient is not finite, with where. */
export function checkFinite(
  {nats, auxiliaryLoss, squares}: StepValues,
  {
    step,
    rows,
    names,
    segmentLength,
  }: {
    step: number;
    /** Rows of each segment. */
    rows: readonly (readonly RowSegment[])[];
    /** Of the weights. */
    names: readonly string[];
    segmentLength: number;
  },
): void {
  const fail = (what: string, value: number) =>
    new NumericalError(
      `Cannot go on training at step ${step} as ${what} must be finite: current value is ${value}; train the last saved model on in a new folder, with a lower learning rate or clip`,
    );
  const width = rows.length * segmentLength;
  const wrong = nats.findIndex(value => !Number.isFinite(value));
  if (wrong !== -1) {
    const column = wrong % width;
    const {document, position} = rows[Math.floor(column / segmentLength)]![Math.floor(wrong / width)]!;
    const token = position + (column % segmentLength);
    throw fail(`the loss of "${document}" at token ${token}`, nats[wrong]!);
  }
  if (!Number.isFinite(auxiliaryLoss)) throw fail('the compression loss', auxiliaryLoss);
  const weight = squares?.findIndex(value => !Number.isFinite(value)) ?? -1;
  if (weight !== -1) throw fail(`the gradient of "${names[weight]}"`, squares![weight]!);
}
