import type {Model, StepResult} from '../model/model.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {timerDelay} from '../pipeline/timer-delay.ts';
import {BatchPlanner} from './batch-planner.ts';
import type {Embedding} from './embedding.ts';
import type {OpenDocument} from './open-document.ts';
import type {ReadingStatistics} from './reading-statistics.ts';
import {RunningSummary} from './running-summary.ts';
import type {SegmentTask} from './segment-task.ts';

export type SegmentReaderOptions = {
  readonly model: Model;
  readonly every: 'segment' | 'document';
  readonly batch: number;
  readonly bufferedTokens: number;
  /** Milliseconds that a segment may wait for its batch to fill; infinite if it may wait for ever. */
  readonly maxWaitMs: number;
  readonly statistics: ReadingStatistics;
  /** Starts no batch once it is aborted. */
  readonly signal?: AbortSignal | undefined;
  readonly onSegment?: ((segment: ReadSegment) => void) | undefined;
  readonly emit: (embedding: StreamRecord<Embedding>) => void;
  readonly fail: (error: unknown) => void;
};

/** What the model gave for a task. */
type StepOutcome = {
  /** `undefined` if it had no tokens. */
  readonly result: StepResult | undefined;
  /** `undefined` if no document's vector is due by a summary head. */
  readonly compressedMeans: Float32Array | undefined;
};

/** A segment that the model has read, for measurements. */
export type ReadSegment = {
  readonly tokens: number;
  /** From when its text had been read until its result, in milliseconds. */
  readonly ms: number;
};

/** What was read of a document: by its memory, or beyond it. */
type Totals = {readonly summary: RunningSummary; segments: number};

/** Batches on their way through the model: one in work, one waiting so that the model never idles, one being read back. */
const batchesUnderWay = 3;

/** As many as keep the model from idling: below it, a batch that does not fill is started after a while. */
const batchesToFeed = 2;

/** Takes segments through the model in batches, adds up what they give, and emits embeddings. */
export class SegmentReader {
  readonly #options: SegmentReaderOptions;
  readonly #planner: BatchPlanner;
  /** Totals of documents while their tails are read beyond what their memories keep. */
  readonly #tails = new Map<OpenDocument, Totals>();
  #underWay = 0;
  #last: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #failed = false;

  constructor(options: SegmentReaderOptions) {
    this.#options = options;
    this.#planner = new BatchPlanner(options);
  }

  add(task: SegmentTask): void {
    this.#planner.add(task);
  }

  /** Starts the batches that are due; resolves when the model can do with more. */
  async startDue(): Promise<void> {
    while (this.#planner.due) {
      await this.#freePlace();
      // While this waited, segments may have left that had waited too long.
      if (this.#planner.due) this.#start(this.#planner.take());
    }
    this.#watchWaiting();
  }

  /** Reads everything that was added. */
  async finish(): Promise<void> {
    for (;;) {
      await this.#freePlace();
      if (this.#planner.waitingSince === undefined) break;
      this.#start(this.#planner.take());
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#last;
  }

  /** Starts an unfull batch once a segment has waited long enough and the model is about to have nothing to do. */
  #watchWaiting(): void {
    const {maxWaitMs, signal} = this.#options;
    if (!Number.isFinite(maxWaitMs) || this.#timer !== undefined || this.#failed || signal?.aborted) return;
    // Segments behind one that is in work would only make its batch's successor smaller.
    if (this.#underWay >= batchesToFeed) return;
    const since = this.#planner.waitingSince;
    if (since === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        if (signal?.aborted) return;
        const oldest = this.#planner.waitingSince;
        if (oldest !== undefined && performance.now() - oldest >= maxWaitMs && this.#underWay < batchesToFeed) {
          this.#start(this.#planner.take());
        }
        this.#watchWaiting();
      },
      timerDelay(Math.max(0, Math.ceil(since + maxWaitMs - performance.now()))),
    );
  }

  async #freePlace(): Promise<void> {
    const {signal} = this.#options;
    signal?.throwIfAborted();
    while (this.#underWay >= batchesUnderWay) {
      await Promise.race([this.#last, new Promise<void>(resolve => (this.#wake = resolve))]);
      signal?.throwIfAborted();
    }
  }

  #start(tasks: readonly SegmentTask[]): void {
    this.#underWay++;
    const stepping = this.#step(tasks);
    // Awaited below, in order; until then a failure must not count as unhandled.
    stepping.catch(() => {});
    this.#last = this.#last.then(async () => {
      const results = await stepping;
      for (const [index, task] of tasks.entries()) await this.#finishTask(task, results[index]!);
      this.#underWay--;
      this.#wake();
      this.#watchWaiting();
    });
    this.#last.catch(error => {
      this.#failed = true;
      this.#options.fail(error);
    });
  }

  async #step(tasks: readonly SegmentTask[]): Promise<StepOutcome[]> {
    const {model} = this.#options;
    const forks = tasks.filter(({fork}) => fork).map(({document, memory}) => model.fork(document.memory, memory));
    const reading = tasks.filter(({tokens}) => tokens.ids.length > 0);
    const stepping =
      reading.length === 0 ? [] : model.step(reading.map(({memory, tokens}) => ({memory, tokens: tokens.ids})));
    // Asked for before anything else is read, which may go on with the same memories.
    const finals = model.summary === undefined ? [] : tasks.filter(({final}) => final);
    const pooling = finals.length === 0 ? [] : model.meanCompressed(finals.map(({memory}) => memory));
    const [results, means] = await Promise.all([stepping, pooling, ...forks]);
    return tasks.map(task => ({result: results[reading.indexOf(task)], compressedMeans: means[finals.indexOf(task)]}));
  }

  async #finishTask(task: SegmentTask, {result, compressedMeans}: StepOutcome): Promise<void> {
    const {model, every, statistics, onSegment} = this.#options;
    const {document, tokens, tail, final, partial} = task;
    const totals = tail ? this.#tail(document) : document;
    if (result !== undefined) {
      const segment = new RunningSummary(result.hiddenSum.length);
      segment.add({
        tokens: tokens.ids.length,
        bytes: tokens.byteLengths.reduce((sum, length) => sum + length, 0),
        bits: result.surprisal.reduce((sum, bits) => sum + bits, 0),
        hiddenSum: result.hiddenSum,
      });
      totals.summary.add(segment);
      totals.summary.lexical?.add(tokens.ids);
      totals.segments++;
      statistics.segments++;
      statistics.tokens += segment.tokens;
      statistics.bytes += segment.bytes;
      onSegment?.({tokens: segment.tokens, ms: performance.now() - task.since});
      if (every === 'segment') this.#emit(task, {of: segment, totals, vector: segment.meanHidden()});
    }
    if (!final && !partial) return;
    this.#tails.delete(document);
    if (task.memory !== document.memory) await model.release([task.memory]);
    if (partial) return;
    statistics.documents++;
    if (totals.summary.tokens > 0) {
      this.#emit(task, {of: totals.summary, totals, ...this.#documentVector(totals.summary, compressedMeans)});
    } else statistics.emptyDocuments++;
  }

  #tail(document: OpenDocument): Totals {
    let tail = this.#tails.get(document);
    if (tail === undefined) {
      tail = {summary: document.summary.copy(), segments: document.segments};
      this.#tails.set(document, tail);
    }
    return tail;
  }

  /** A document's vector by the model's summary head, or without one the mean of its final hidden vectors. */
  #documentVector(
    summary: RunningSummary,
    compressedMeans: Float32Array | undefined,
  ): Pick<Embedding, 'vector' | 'parts'> {
    const head = this.#options.model.summary;
    if (head === undefined) return {vector: summary.meanHidden()};
    const {hiddenSum, lexical} = summary;
    return {
      vector: head.embed({hiddenSum, compressedMeans: compressedMeans!, counts: lexical!}),
      parts: head.parts,
    };
  }

  #emit(
    {document, position, timestamp}: SegmentTask,
    {of, totals, vector, parts}: {of: RunningSummary; totals: Totals} & Pick<Embedding, 'vector' | 'parts'>,
  ): void {
    const {model, emit} = this.#options;
    emit({
      key: document.id,
      position,
      timestamp,
      value: {
        id: document.id,
        vector,
        ...(parts && {parts}),
        tokens: totals.summary.tokens,
        segments: totals.segments,
        bitsPerByte: of.bitsPerByte,
        final: of === totals.summary,
        model: {name: model.name, fingerprint: model.fingerprint},
      },
    });
  }
}
