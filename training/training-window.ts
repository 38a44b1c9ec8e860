import type {StepReport} from './trainer.ts';
import type {TrainingLogLine} from './training-log.ts';

/** Adds up the steps between two lines of the log. */
export class TrainingWindow {
  readonly #steps: StepReport[] = [];
  #milliseconds = 0;

  /** @param milliseconds What the step took. */
  add(step: StepReport, milliseconds: number): void {
    this.#steps.push(step);
    this.#milliseconds += milliseconds;
  }

  summary(): Omit<TrainingLogLine, 'step' | 'tokens' | 'validationBitsPerByte'> {
    const sum = (pick: (step: StepReport) => number) => this.#steps.reduce((total, step) => total + pick(step), 0);
    const mean = (pick: (step: StepReport) => number | undefined) => {
      const values = this.#steps.map(pick).filter(value => value !== undefined);
      return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0) / values.length;
    };
    const tokens = sum(step => step.tokens);
    const nats = sum(step => step.nats);
    const optional = {
      auxiliaryLoss: mean(step => step.auxiliaryLoss),
      gradientNorm: mean(step => step.gradientNorm),
      auxiliaryGradientNorm: mean(step => step.auxiliaryGradientNorm),
    };
    return {
      loss: nats / tokens,
      bitsPerByte: nats / Math.LN2 / sum(step => step.bytes),
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
      learningRate: this.#steps.at(-1)!.learningRate,
      tokensPerSecond: (1000 * tokens) / this.#milliseconds,
    };
  }
}
