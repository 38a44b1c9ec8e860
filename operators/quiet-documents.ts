import {timerDelay} from '../pipeline/timer-delay.ts';

export type QuietDocumentsOptions = {
  /** Milliseconds after which a document is quiet; may be infinite. */
  readonly idleMs: number;
  /** Called when documents may have become quiet, and not again before what it returns has settled. */
  readonly look: () => Promise<void>;
  readonly onError: (error: unknown) => void;
};

/** Quiet documents are looked for so often within `idleMs`, so that they share batches. */
const looks = 4;

/** Documents of which text waits for more to come, and since when. */
export class QuietDocuments {
  readonly #options: QuietDocumentsOptions;
  /** The longest waiting first. */
  readonly #since = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: QuietDocumentsOptions) {
    this.#options = options;
  }

  /** Counts a document's time from now on. */
  add(id: string): void {
    if (this.#options.idleMs === Number.POSITIVE_INFINITY || this.#stopped) return;
    this.#since.delete(id);
    this.#since.set(id, performance.now());
    this.#watch();
  }

  /** @returns Whether the document was waiting. */
  delete(id: string): boolean {
    return this.#since.delete(id);
  }

  /** Takes out the documents that have been quiet for long enough, one by one. */
  *take(): Generator<string, void> {
    for (const [id, since] of this.#since) {
      if (performance.now() - since < this.#options.idleMs) return;
      this.#since.delete(id);
      yield id;
    }
  }

  /** Nothing is quiet any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#since.clear();
  }

  #watch(): void {
    if (this.#timer !== undefined || this.#since.size === 0) return;
    const {idleMs, look, onError} = this.#options;
    this.#timer = setTimeout(
      () =>
        look().then(() => {
          this.#timer = undefined;
          this.#watch();
        }, onError),
      timerDelay(idleMs / looks),
    );
  }
}
