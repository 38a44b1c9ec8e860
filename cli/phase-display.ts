import {ProgressBar} from './progress-bar.ts';
import {TimeLeft} from './time-left.ts';

/** What a phase counts, and how many of them make one that is shown. */
export type PhaseUnit = {readonly text: string; readonly divisor: number};

export type PhaseDisplayOptions<Phase extends string> = {
  readonly quiet: boolean;
  readonly units: Readonly<Record<Phase, PhaseUnit>>;
};

export type PhaseProgress<Phase extends string> = {
  readonly phase: Phase;
  readonly done: number;
  readonly total: number;
};

/** Shows on standard error how far work of several phases is: a bar on a terminal for each, a line now and then elsewhere. */
export class PhaseDisplay<Phase extends string> implements Disposable {
  readonly #options: PhaseDisplayOptions<Phase>;
  #phase: Phase | undefined;
  #timeLeft = new TimeLeft();
  #bar: ProgressBar | undefined;
  #shown = performance.now();

  constructor(options: PhaseDisplayOptions<Phase>) {
    this.#options = options;
  }

  show({phase, done, total}: PhaseProgress<Phase>): void {
    if (this.#options.quiet) return;
    if (phase !== this.#phase) this.#begin(phase, total);
    const {text, divisor} = this.#options.units[phase];
    const [shown, of] = [Math.floor(done / divisor), Math.ceil(total / divisor)];
    const left = this.#timeLeft.describe(done, total);
    const count = `${shown.toLocaleString('en')} of ${of.toLocaleString('en')} ${text}`;
    if (this.#bar !== undefined) this.#bar.show(done, [count, left]);
    else if (performance.now() - this.#shown > 10_000) {
      this.#shown = performance.now();
      process.stderr.write(left === undefined ? `${count}\n` : `${count}, ${left}\n`);
    }
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
  }

  #begin(phase: Phase, total: number): void {
    this.#bar?.[Symbol.dispose]();
    this.#phase = phase;
    this.#timeLeft = new TimeLeft();
    if (process.stderr.isTTY) this.#bar = new ProgressBar({stream: process.stderr, total});
  }
}
