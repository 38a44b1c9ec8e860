import {SingleBar} from 'cli-progress';
import type {ReadingStatistics} from '../operators/reading-statistics.ts';
import {countOf} from './count-of.ts';

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
  readonly #bar: SingleBar | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: ReadingProgressOptions) {
    this.#options = options;
    if (options.quiet) return;
    const stream = process.stderr;
    if (stream.isTTY) {
      this.#bar = new SingleBar({
        format: options.totalBytes === undefined ? '{text}' : '{bar} {percentage}% | {text} | {eta_formatted} left',
        stream,
        hideCursor: true,
        clearOnComplete: true,
        etaBuffer: 50,
      });
      this.#bar.start(Math.max(1, options.totalBytes ?? 1), 0, {text: 'opening'});
    }
    this.#timer = setInterval(() => this.#show(), stream.isTTY ? every.terminal : every.lines);
    this.#timer.unref();
  }

  /** One line on what was done so far. */
  summary(): string {
    const {documents = 0, tokens = 0} = this.#options.statistics() ?? {};
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = Math.round(tokens / Math.max(seconds, 1e-3));
    return `${countOf(documents, 'document')}, ${countOf(tokens, 'token')}, ${rate.toLocaleString('en')} tokens/s`;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#bar?.stop();
  }

  #show(): void {
    const {totalBytes} = this.#options;
    const bytes = this.#options.statistics()?.bytes ?? 0;
    if (this.#bar !== undefined) {
      this.#bar.update(Math.min(bytes, totalBytes ?? 0), {text: this.summary()});
      return;
    }
    const share = totalBytes ? `, ${Math.floor((100 * Math.min(bytes, totalBytes)) / totalBytes)} %` : '';
    process.stderr.write(`${this.summary()}${share}\n`);
  }
}
