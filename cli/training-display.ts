import type {TrainingProgress} from '../training/run-training.ts';
import {ProgressBar} from './progress-bar.ts';
import {TimeLeft} from './time-left.ts';

/** Shows on standard error how far training is: a bar on a terminal, lines elsewhere. */
export class TrainingDisplay implements Disposable {
  readonly #quiet: boolean;
  readonly #timeLeft = new TimeLeft();
  #bar: ProgressBar | undefined;

  constructor({quiet}: {quiet: boolean}) {
    this.#quiet = quiet;
  }

  /** Says where training begins, for the time that is left. */
  begin({step, steps}: {readonly step: number; readonly steps: number}): void {
    this.#timeLeft.describe(step, steps);
  }

  show({step, steps, epochs, line}: TrainingProgress): void {
    if (this.#quiet) return;
    const count = `step ${step}/${steps}`;
    const left = this.#timeLeft.describe(step, steps);
    const parts = describe(line, epochs);
    if (!process.stderr.isTTY || line.validationBitsPerByte !== undefined) {
      this[Symbol.dispose]();
      process.stderr.write(`${count}: ${[...parts, ...(left === undefined ? [] : [left])].join(', ')}\n`);
      return;
    }
    this.#bar ??= new ProgressBar({stream: process.stderr, total: steps});
    this.#bar.show(step, [count, left, ...parts]);
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
    this.#bar = undefined;
  }
}

/** The most important first. */
function describe(line: TrainingProgress['line'], epochs: number): string[] {
  if (line.validationBitsPerByte !== undefined)
    return [`validation ${line.validationBitsPerByte.toFixed(4)} bits per byte`];
  const {loss, bitsPerByte, auxiliaryLoss, gradientNorm, auxiliaryGradientNorm, tokensPerSecond, learningRate} = line;
  return [
    `loss ${loss!.toFixed(4)}`,
    `${bitsPerByte!.toFixed(4)} bits per byte`,
    ...(auxiliaryLoss === undefined ? [] : [`compression ${auxiliaryLoss.toExponential(2)}`]),
    ...(gradientNorm === undefined ? [] : [`gradient ${gradientNorm.toFixed(3)}`]),
    ...(auxiliaryGradientNorm === undefined ? [] : [`compressors' ${auxiliaryGradientNorm.toExponential(1)}`]),
    `rate ${learningRate!.toExponential(1)}`,
    `${Math.round(tokensPerSecond!).toLocaleString('en')} tokens/s`,
    `epoch ${epochs.toFixed(2)}`,
  ];
}
