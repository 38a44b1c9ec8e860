import {SingleBar} from 'cli-progress';
import type {TrainingProgress} from '../training/run-training.ts';

/** Shows on standard error how far training is: a bar on a terminal, lines elsewhere. */
export class TrainingDisplay implements Disposable {
  readonly #quiet: boolean;
  readonly #started = performance.now();
  #firstStep: number | undefined;
  #bar: SingleBar | undefined;

  constructor({quiet}: {quiet: boolean}) {
    this.#quiet = quiet;
  }

  show({step, steps, epochs, line}: TrainingProgress): void {
    if (this.#quiet) return;
    this.#firstStep ??= step;
    const text = describe(line, epochs);
    if (!process.stderr.isTTY || line.validationBitsPerByte !== undefined) {
      this.#bar?.stop();
      this.#bar = undefined;
      process.stderr.write(`step ${step}/${steps}: ${text}${this.#left(step, steps)}\n`);
      return;
    }
    if (this.#bar === undefined) {
      const format = '{bar} {percentage}% | step {value}/{total} | {text}';
      this.#bar = new SingleBar({format, stream: process.stderr, hideCursor: true, clearOnComplete: true});
      this.#bar.start(steps, step, {text});
    }
    this.#bar.update(step, {text: `${text}${this.#left(step, steps)}`});
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }

  #left(step: number, steps: number): string {
    const done = step - this.#firstStep!;
    if (done === 0) return '';
    const seconds = ((performance.now() - this.#started) / 1000 / done) * (steps - step);
    const minutes = Math.round(seconds / 60);
    if (seconds < 60) return `, ${Math.round(seconds)} s left`;
    return minutes < 120 ? `, ${minutes} min left` : `, ${(minutes / 60).toFixed(1)} h left`;
  }
}

function describe(line: TrainingProgress['line'], epochs: number): string {
  if (line.validationBitsPerByte !== undefined)
    return `validation ${line.validationBitsPerByte.toFixed(4)} bits per byte`;
  const {loss, bitsPerByte, auxiliaryLoss, gradientNorm, auxiliaryGradientNorm, tokensPerSecond, learningRate} = line;
  const parts = [
    `loss ${loss!.toFixed(4)}`,
    `${bitsPerByte!.toFixed(4)} bits per byte`,
    ...(auxiliaryLoss === undefined ? [] : [`compression ${auxiliaryLoss.toExponential(2)}`]),
    ...(gradientNorm === undefined ? [] : [`gradient ${gradientNorm.toFixed(3)}`]),
    ...(auxiliaryGradientNorm === undefined ? [] : [`compressors' ${auxiliaryGradientNorm.toExponential(1)}`]),
    `rate ${learningRate!.toExponential(1)}`,
    `${Math.round(tokensPerSecond!).toLocaleString('en')} tokens/s`,
    `epoch ${epochs.toFixed(2)}`,
  ];
  return parts.join(', ');
}
