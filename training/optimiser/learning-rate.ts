/** A linear warm-up, then a cosine down to the floor. */
export type LearningRateSchedule = {
  /** The greatest rate, reached after the warm-up. */
  readonly peak: number;
  /** What warm-up begins with and decay ends with. */
  readonly floor: number;
  /** Steps of linear warm-up. */
  readonly warmUpSteps: number;
  /** Step at which the cosine decay reaches the floor. */
  readonly totalSteps: number;
};

/** The rate of step 0, 1, …: linear warm-up, then cosine decay (Rae et al. 2019, section 5). */
export function learningRate(step: number, {peak, floor, warmUpSteps, totalSteps}: LearningRateSchedule): number {
  if (step < warmUpSteps) return floor + (peak - floor) * ((step + 1) / warmUpSteps);
  const done = Math.min(1, (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps));
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * done))) / 2;
}
