import type {ReadableStream, WritableStreamDefaultWriter} from 'node:stream/web';
import {setImmediate} from 'node:timers/promises';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Operator} from '../../pipeline/operator.ts';
import type {PartitionProgress, Progress} from '../../pipeline/progress.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';

/** Feeds one operator by hand and shows what comes out. */
export class OperatorDriver<I, O> implements AsyncDisposable {
  /** Everything that came out so far, barriers excluded. */
  readonly outputs: StreamRecord<O>[] = [];
  readonly #scope = new AbortController();
  readonly #writer: WritableStreamDefaultWriter<Element<StreamRecord<I>>>;
  readonly #reading: Promise<void>;
  readonly #moved = new Map<string, PartitionProgress>();
  #awaited: {readonly checkpoint: Checkpoint; readonly passed: () => void} | undefined;

  constructor(operator: Operator<I, O>) {
    const {readable, writable} = operator({signal: this.#scope.signal});
    this.#writer = writable.getWriter();
    this.#reading = this.#read(readable);
    // Failures reach the caller through push, barrier and end.
    this.#reading.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  /**
   * Writes records and waits until the operator has taken them.
   *
   * @returns What came out meanwhile.
   * @throws What the operator failed with.
   */
  async push(...records: StreamRecord<I>[]): Promise<StreamRecord<O>[]> {
    const before = this.outputs.length;
    for (const record of records) {
      await this.#writer.write(record);
      const {partition, offset} = record.position;
      this.#moved.set(partition, {nextOffset: offset + 1n, ended: false});
    }
    await setImmediate();
    return this.outputs.slice(before);
  }

  /**
   * Sends a barrier behind what was pushed, waits until it comes out and commits it as a sink would.
   *
   * @returns What was committed.
   * @throws What the operator, or the commit, failed with.
   */
  async barrier(partitions: ReadonlyMap<string, PartitionProgress> = new Map(this.#moved)): Promise<Progress> {
    const checkpoint = new Checkpoint(partitions);
    const passed = new Promise<'passed'>(resolve => {
      this.#awaited = {checkpoint, passed: () => resolve('passed')};
    });
    await this.#writer.write(checkpoint);
    if ((await Promise.race([passed, this.#reading])) !== 'passed') {
      throw new Error('Cannot commit barrier as the operator ended its output without passing it on');
    }
    let committed: Progress = {partitions, outputs: new Map()};
    checkpoint.onCommit(async progress => {
      committed = progress;
    });
    await checkpoint.commit();
    this.#moved.clear();
    return committed;
  }

  /**
   * Ends the input and waits until the operator has ended its output.
   *
   * @returns What came out meanwhile.
   * @throws What the operator failed with.
   */
  async end(): Promise<StreamRecord<O>[]> {
    const before = this.outputs.length;
    await this.#writer.close();
    await this.#reading;
    return this.outputs.slice(before);
  }

  /** Aborts as a failing run would: the operator's signal first, then its streams. */
  async abort(reason: unknown): Promise<void> {
    this.#scope.abort(reason);
    await this.#writer.abort(reason);
  }

  async #read(readable: ReadableStream<Element<StreamRecord<O>>>): Promise<void> {
    for await (const element of readable) {
      if (!(element instanceof Checkpoint)) this.outputs.push(element);
      else if (element === this.#awaited?.checkpoint) this.#awaited.passed();
    }
  }

  /** Aborts what has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#scope.abort();
    await this.#writer.abort().catch(() => {});
  }
}
