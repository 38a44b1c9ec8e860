import type {ReadableStream} from 'node:stream/web';
import type {CheckpointSchedule} from './checkpoint-schedule.ts';
import type {Element} from './element.ts';
import type {Operator} from './operator.ts';
import type {Progress} from './progress.ts';
import type {Sink} from './sink.ts';
import type {Source} from './source.ts';
import type {StreamRecord} from './stream-record.ts';
import {timerDelay} from './timer-delay.ts';

export type RunOptions = {
  /** Ends the run; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Where an interrupted run had got to, as its memory store tells. */
  readonly progress?: Progress;
  /** When the source emits barriers. */
  readonly checkpoints?: CheckpointSchedule;
  /**
   * How long a run that failed or was aborted waits for writes in flight, in milliseconds.
   *
   * @default 10000
   */
  readonly graceMs?: number;
};

type Elements = ReadableStream<Element<StreamRecord<unknown>>>;

/**
 * A source and the operators behind it; reusable, since each run makes its own streams.
 *
 * Source and sink stay the caller's: a run opens them but does not dispose of them.
 */
export class Pipeline<T> {
  readonly #source: Source<unknown>;
  readonly #operators: readonly Operator<unknown, unknown>[];

  private constructor(source: Source<unknown>, operators: readonly Operator<unknown, unknown>[]) {
    this.#source = source;
    this.#operators = operators;
  }

  /** Begins a pipeline. */
  static from<T>(source: Source<T>): Pipeline<T> {
    return new Pipeline(source, []);
  }

  /** A new pipeline with one more operator at its end. */
  through<O>(operator: Operator<T, O>): Pipeline<O> {
    return new Pipeline(this.#source, [...this.#operators, operator as Operator<unknown, unknown>]);
  }

  /**
   * Runs everything into `sink` and resolves once all is durable.
   *
   * @throws The first cause of a failure as it was thrown, or the signal's reason. By then all streams have ended, or
   *   `graceMs` have passed.
   */
  async to(sink: Sink<T>, {signal, graceMs = 10_000, ...opening}: RunOptions = {}): Promise<void> {
    if (!(graceMs >= 0)) {
      throw new RangeError(`Cannot run pipeline as graceMs must not be negative: current value is ${graceMs}`);
    }
    signal?.throwIfAborted();
    const scope = new AbortController();
    const onAbort = (): void => scope.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    try {
      await this.#run(sink as Sink<unknown>, {...opening, scope, graceMs});
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #run(
    sink: Sink<unknown>,
    {scope, graceMs, progress, checkpoints}: Omit<RunOptions, 'signal'> & {scope: AbortController; graceMs: number},
  ): Promise<void> {
    const {signal} = scope;
    // Aborting an aborted scope changes nothing, so its reason is the first cause, whatever fails in consequence.
    const pipes: Promise<void>[] = [];
    const pipe = (from: Elements, into: Parameters<Elements['pipeTo']>[0]): void => {
      pipes.push(from.pipeTo(into, {signal}).catch(error => scope.abort(error)));
    };
    const resume = progress === undefined ? {signal} : {signal, progress};
    let elements: Elements | undefined;
    try {
      elements = this.#source.open(checkpoints === undefined ? resume : {...resume, checkpoints});
      for (const operator of this.#operators) {
        const {readable, writable} = operator({signal});
        pipe(elements, writable);
        elements = readable;
      }
      pipe(elements, sink.open(resume));
    } catch (error) {
      scope.abort(error);
      if (elements?.locked === false) pipes.push(elements.cancel(error).catch(() => {}));
    }
    const settled = Promise.all(pipes);
    await Promise.race([settled, aborted(signal)]);
    if (!signal.aborted) return;
    await within(graceMs, settled);
    throw signal.reason;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), {once: true});
  });
}

async function within(milliseconds: number, settled: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>(resolve => {
    timer = setTimeout(resolve, timerDelay(milliseconds));
  });
  await Promise.race([settled, elapsed]);
  clearTimeout(timer);
}
