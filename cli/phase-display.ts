import {SingleBar} from 'cli-progress';

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
  #bar: SingleBar | undefined;
  #shown = performance.now();

  constructor(options: PhaseDisplayOptions<Phase>) {
    this.#options = options;
  }

  show({phase, done, total}: PhaseProgress<Phase>): void {
    if (this.#options.quiet) return;
    const {text, divisor} = this.#options.units[phase];
    const share = {done: Math.floor(done / divisor), total: Math.ceil(total / divisor)};
    if (process.stderr.isTTY) {
      if (phase !== this.#phase) this.#begin(phase, {text, total: share.total});
      this.#bar?.update(share.done);
    } else if (performance.now() - this.#shown > 10_000) {
      this.#shown = performance.now();
      process.stderr.write(`${share.done} of ${share.total} ${text}\n`);
    }
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }

  #begin(phase: Phase, {text, total}: {readonly text: string; readonly total: number}): void {
    this.#bar?.stop();
    this.#phase = phase;
    const format = `{bar} {percentage}% | {value}/{total} ${text} | {eta_formatted} left`;
    this.#bar = new SingleBar({format, stream: process.stderr, hideCursor: true, clearOnComplete: true, etaBuffer: 50});
    this.#bar.start(total, 0);
  }
}
