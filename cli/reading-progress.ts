import type {ReadingStatistics} from '../operators/reading-statistics.ts';
import {countOf} from './count-of.ts';
import {ProgressBar} from './progress-bar.ts';
import {TimeLeft} from './time-left.ts';

export type ReadingProgressOptions = {
  /** Bytes to read, if they are known. */
  readonly totalBytes: number | undefined;
  readonly statistics: () => Readonly<ReadingStatistics> | undefined;
  /** Whether to show nothing while reading. */
  readonly quiet: boolean;
};

/** Milliseconds between two looks at a terminal, and between two lines elsewhere. */
const every = {terminal: 200, lines: 10_000};

/** Shows on standard error how far a run is: a bar on a terminal, a line now and then elsewhere. */
export class ReadingProgress implements Disposable {
  readonly #options: ReadingProgressOptions;
  readonly #started = performance.now();
  readonly #timeLeft = new TimeLeft();
  readonly #bar: ProgressBar | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: ReadingProgressOptions) {
    this.#options = options;
    if (options.quiet) return;
    const {stderr} = process;
    if (stderr.isTTY) this.#bar = new ProgressBar({stream: stderr, total: options.totalBytes});
    this.#timer = setInterval(() => this.#show(), stderr.isTTY ? every.terminal : every.lines);
    this.#timer.unref();
    this.#timeLeft.describe(0, 0);
  }

  /** One line on what was done so far. */
  summary(): string {
    return this.#parts().join(', ');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#bar?.[Symbol.dispose]();
  }

  #parts(): readonly [documents: string, tokens: string, rate: string] {
    const {documents = 0, tokens = 0} = this.#options.statistics() ?? {};
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = Math.round(tokens / Math.max(seconds, 1e-3));
    return [countOf(documents, 'document'), countOf(tokens, 'token'), `${rate.toLocaleString('en')} tokens/s`];
  }

  #show(): void {
    const {totalBytes = 0} = this.#options;
    const bytes = Math.min(this.#options.statistics()?.bytes ?? 0, totalBytes);
    const left = this.#timeLeft.describe(bytes, totalBytes);
    const [documents, tokens, rate] = this.#parts();
    if (this.#bar !== undefined) {
      this.#bar.show(bytes, [left, rate, documents, tokens]);
      return;
    }
    const share = totalBytes > 0 ? [`${Math.floor((100 * bytes) / totalBytes)} %`] : [];
    const line = [documents, tokens, rate, ...share, ...(left === undefined ? [] : [left])];
    process.stderr.write(`${line.join(', ')}\n`);
  }
}
