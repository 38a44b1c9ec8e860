import type {InstallProgress} from '../model/engine/install-native.ts';
import {megabytes} from './megabytes.ts';
import {ProgressBar} from './progress-bar.ts';
import {TimeLeft} from './time-left.ts';

/** A line for each step; on a terminal, a bar below it while its bytes are counted. */
export class InstallDisplay implements Disposable {
  #step: string | undefined;
  #timeLeft = new TimeLeft();
  #bar: ProgressBar | undefined;

  show({step, doneBytes = 0, totalBytes}: InstallProgress): void {
    const {stderr} = process;
    if (step !== this.#step) {
      this[Symbol.dispose]();
      this.#step = step;
      this.#timeLeft = new TimeLeft();
      const size = totalBytes === undefined ? '' : ` (${megabytes(totalBytes)} MB)`;
      stderr.write(`${step}${size}\n`);
    }
    if (totalBytes === undefined || !stderr.isTTY) return;
    this.#bar ??= new ProgressBar({stream: stderr, total: totalBytes});
    const left = this.#timeLeft.describe(doneBytes, totalBytes);
    this.#bar.show(doneBytes, [`${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`, left]);
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
    this.#bar = undefined;
  }
}
