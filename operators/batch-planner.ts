import type {OpenDocument} from './open-document.ts';
import type {SegmentTask} from './segment-task.ts';

/**
 * Groups waiting segments into batches: at most one segment of a document in each, documents in turn.
 *
 * What it gives depends on the order of arrival alone, never on time, so that an interrupted run and an uninterrupted one batch alike.
 */
export class BatchPlanner {
  readonly #batch: number;
  readonly #bufferedTokens: number;
  readonly #queues = new Map<OpenDocument, SegmentTask[]>();
  #tokens = 0;

  /**
   * @param options.batch Segments in a full batch.
   * @param options.bufferedTokens How many tokens may wait for batches to fill.
   */
  constructor({batch, bufferedTokens}: {batch: number; bufferedTokens: number}) {
    this.#batch = batch;
    this.#bufferedTokens = bufferedTokens;
  }

  add(task: SegmentTask): void {
    const queue = this.#queues.get(task.document);
    if (queue === undefined) this.#queues.set(task.document, [task]);
    else queue.push(task);
    this.#tokens += task.tokens.ids.length;
  }

  /** Batches that are due: full ones, and unfull ones while too much waits. */
  *due(): Generator<SegmentTask[]> {
    while (this.#queues.size >= this.#batch || this.#tokens > this.#bufferedTokens) yield this.#next();
  }

  /** Everything that waits. */
  *rest(): Generator<SegmentTask[]> {
    while (this.#queues.size > 0) yield this.#next();
  }

  #next(): SegmentTask[] {
    return [...this.#queues].slice(0, this.#batch).map(([document, queue]) => {
      const task = queue.shift()!;
      this.#tokens -= task.tokens.ids.length;
      // To the back, so that every document gets its turn.
      this.#queues.delete(document);
      if (queue.length > 0) this.#queues.set(document, queue);
      return task;
    });
  }
}
