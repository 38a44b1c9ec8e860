import type {OpenDocument} from './open-document.ts';
import type {SegmentTask} from './segment-task.ts';

/** Batches that documents stay together for while others wait: each change of a batch copies memories. */
const turnsTogether = 4;

/**
 * Groups waiting segments into batches: at most one segment of a document in each, documents in turn. One that waits has its turn after at
 * most four batches for each batch's worth of documents before it, however many segments those have.
 *
 * What is due depends on the order of arrival alone, never on time, so that an interrupted run and an uninterrupted one batch alike.
 */
export class BatchPlanner {
  readonly #batch: number;
  readonly #bufferedTokens: number;
  readonly #queues = new Map<OpenDocument, SegmentTask[]>();
  /** Documents of the latest batch. */
  #together: readonly OpenDocument[] = [];
  #turns = 0;
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

  /** Whether a batch is full, or too much waits for one to fill. */
  get due(): boolean {
    return this.#queues.size >= this.#batch || this.#tokens > this.#bufferedTokens;
  }

  /** Since when the segment waits that has waited longest; undefined if none waits. */
  get waitingSince(): number | undefined {
    let oldest: number | undefined;
    for (const [{since}] of this.#queues.values() as Iterable<[SegmentTask]>) {
      if (oldest === undefined || since < oldest) oldest = since;
    }
    return oldest;
  }

  /** Takes the next batch, full or not; empty if nothing waits. */
  take(): SegmentTask[] {
    if (this.#turns === turnsTogether) this.#giveWay();
    const documents = new Set(this.#together.filter(document => this.#queues.has(document)));
    for (const document of this.#queues.keys()) {
      if (documents.size === this.#batch) break;
      documents.add(document);
    }
    this.#together = [...documents];
    this.#turns++;
    const tasks = this.#together.map(document => {
      const queue = this.#queues.get(document)!;
      const task = queue.shift()!;
      this.#tokens -= task.tokens.ids.length;
      if (queue.length === 0) this.#queues.delete(document);
      return task;
    });
    // A run that goes on at a barrier, where nothing waits, knows nothing of earlier batches.
    if (this.#queues.size === 0) this.#giveWay();
    return tasks;
  }

  /** Sends the documents of the latest batches behind those that wait. */
  #giveWay(): void {
    for (const document of this.#together) {
      const queue = this.#queues.get(document);
      if (queue === undefined) continue;
      this.#queues.delete(document);
      this.#queues.set(document, queue);
    }
    this.#together = [];
    this.#turns = 0;
  }
}
