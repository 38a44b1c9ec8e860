import {SingleBar} from 'cli-progress';
import {progressLine} from './progress-line.ts';

export type ProgressBarOptions = {
  /** Taken for a terminal. */
  readonly stream: NodeJS.WriteStream;
  /** What there is to do in all, if it is known. */
  readonly total: number | undefined;
};

/** A line at the end of a terminal's output, as wide as fits, that is gone once the bar is disposed of. */
export class ProgressBar implements Disposable {
  readonly #bar: SingleBar;
  readonly #stop = () => this.#bar.stop();

  constructor({stream, total}: ProgressBarOptions) {
    this.#bar = new SingleBar({
      // The last column stays free: terminals differ in where the cursor is behind it.
      format: (_options, {progress, maxWidth}, {parts}: {parts: readonly string[]}) =>
        progressLine({columns: maxWidth - 1, share: total === undefined ? undefined : progress, parts}),
      stream,
      hideCursor: true,
      clearOnComplete: true,
    });
    this.#bar.start(total ?? 1, 0, {parts: []});
    // A second Ctrl-C ends the process at once, and must not leave the terminal without its cursor.
    process.on('exit', this.#stop);
  }

  /** @param parts What else there is to say, the most important first. */
  show(done: number, parts: readonly (string | undefined)[]): void {
    this.#bar.update(done, {parts: parts.filter(part => part !== undefined)});
  }

  /** Clears the line and shows the cursor again. Disposing of it twice is fine. */
  [Symbol.dispose](): void {
    process.off('exit', this.#stop);
    this.#stop();
  }
}
