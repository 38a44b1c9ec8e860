import {setTimeout as delay} from 'node:timers/promises';
import {CorruptMemoryError, FencedError, PipelineError} from '../../errors.ts';
import type {MemoryDtype} from '../../memory-store/memory-dtype.ts';
import type {Message} from '../../pipeline/message.ts';
import type {Pipeline} from '../../pipeline/pipeline.ts';
import type {GroupMember, KafkaClient} from './kafka-client.ts';
import type {Guarantee} from './partition-sink.ts';
import type {PartitionStores} from './partition-stores.ts';
import {type PartitionContext, PartitionTask, type PartitionTaskOptions} from './partition-task.ts';
import {type PreparedTopics, prepareTopics} from './prepare-topics.ts';
import {untilAborted} from './until-aborted.ts';
import type {WorkerEvent} from './worker-event.ts';

export type KafkaWorkerOptions = {
  readonly client: KafkaClient;
  /**
   * Names what workers share: it is their consumer group, `<application>.<topic>.<partition>` are the transactional ids and
   * `<application>.<topic>.changelog` is the topic of memories.
   */
  readonly application: string;
  /** Topic to read. Its records are chunks of the documents that their keys name. */
  readonly topic: string;
  /** Topic for results; it must exist. */
  readonly output: string;
  /** Topic for records that cannot be decoded; it must exist. @default none, and the first of them ends the run */
  readonly deadLetters?: string | undefined;
  /** Where memories are kept beside the changelog; of this worker alone. */
  readonly stores: PartitionStores;
  /** Makes the pipeline over one partition; called each time work on it begins. */
  readonly pipeline: (context: PartitionContext) => Pipeline<Message>;
  /**
   * `exactly-once` shows results when their checkpoint is committed. `at-least-once` shows them within milliseconds, and some of
   * them again after a failure, with the same `palimpsest-id`. Memories are exact in both.
   *
   * @default 'exactly-once'
   */
  readonly guarantee?: Guarantee;
  /** Where to begin with a partition that was never read. @default 'earliest' */
  readonly startAt?: 'earliest' | 'latest';
  /** The model that reads; what another one has written is refused. @default anything is read */
  readonly fingerprint?: string;
  /** How memories are stored in the changelog. @default 'float32' */
  readonly dtype?: MemoryDtype;
  /** Longest time between two checkpoints of a partition that has records, in milliseconds. @default 5000 */
  readonly checkpointMs?: number;
  /** Input after which a checkpoint is made although it is not time. @default 64 MiB */
  readonly checkpointBytes?: number;
  /** What is read of a partition at once; twice as much is held. @default 1 MiB */
  readonly fetchBytes?: number;
  /**
   * What is held of all partitions; each has an equal part and waits for the pipeline to take it before more is read. Counted as brokers
   * store it, compressed or not. @default 64 MiB
   */
  readonly heldBytes?: number;
  /** How long a worker may be silent before its partitions are given to others, in milliseconds. @default 30000 */
  readonly sessionTimeoutMs?: number;
  /** After how long the cluster drops a checkpoint that does not come to its end, in milliseconds. @default 60000 */
  readonly transactionTimeoutMs?: number;
  /** Takes what there is to log and to measure. */
  readonly onEvent?: (event: WorkerEvent) => void;
};

export type RunWorkerOptions = {
  /** Ends the run at once, without a last checkpoint; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
};

type Running = {
  readonly controller: AbortController;
  task: PartitionTask | undefined;
  done: Promise<void>;
};

const shortestRetryMs = 100;
const longestRetryMs = 10_000;

/**
 * Reads a topic together with other workers of the same application, each partition by one of them at a time.
 *
 * Membership in the group says who should work on a partition; that nobody else can is seen to by the partition's transactional id.
 * So what goes on in the group never matters to what is written.
 */
export class KafkaWorker {
  readonly #options: CompleteOptions;
  readonly #running = new Map<number, Running>();
  /** What is ending still has the partition's store open. */
  readonly #ending = new Map<number, Promise<void>>();
  #member: GroupMember | undefined;
  readonly #stop = new AbortController();
  #settle: {resolve: () => void; reject: (error: unknown) => void} | undefined;

  /** @throws {RangeError | TypeError} If an option is not valid. */
  constructor(options: KafkaWorkerOptions) {
    const {guarantee = 'exactly-once', startAt = 'earliest', dtype = 'float32', onEvent = () => {}} = options;
    const {checkpointMs = 5000, checkpointBytes = 64 * 1024 * 1024} = options;
    const {fetchBytes = 1024 * 1024, heldBytes = 64 * 1024 * 1024} = options;
    const {sessionTimeoutMs = 30_000, transactionTimeoutMs = 60_000} = options;
    const numbers = {checkpointMs, checkpointBytes, fetchBytes, heldBytes, sessionTimeoutMs, transactionTimeoutMs};
    for (const [name, value] of Object.entries(numbers)) {
      if (Number.isSafeInteger(value) && value > 0) continue;
      throw new RangeError(
        `Cannot construct KafkaWorker as ${name} must be a positive integer: current value is ${value}`,
      );
    }
    const {application, topic, output, deadLetters} = options;
    for (const [name, value] of Object.entries({application, topic, output, deadLetters})) {
      if (value === undefined ? name === 'deadLetters' : /^[\w.-]{1,200}$/.test(value)) continue;
      throw new TypeError(
        `Cannot construct KafkaWorker as ${name} must be 1 to 200 letters, digits, ".", "_" and "-": current value is "${value}"`,
      );
    }
    this.#options = {...options, ...numbers, guarantee, startAt, dtype, onEvent};
  }

  /**
   * Works until {@link stop} is called. May be called once.
   *
   * @throws {PipelineError} The first failure that does not pass by itself, such as records that were deleted before they were read.
   */
  async run({signal}: RunWorkerOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const {client, application, topic, output, deadLetters, stores, sessionTimeoutMs} = this.#options;
    const settled = new Promise<void>((resolve, reject) => {
      this.#settle = {resolve, reject};
    });
    settled.catch(() => {});
    const onAbort = () => this.#settle!.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    try {
      const preparing = prepareTopics(client, {application, topic, output, deadLetters, signal});
      const shared = this.#shared(await untilAborted(preparing, {signal}));
      const stored = new Set(await stores.stored());
      if (this.#stopping) return;
      const joining = client.join({
        group: application,
        topic,
        sessionTimeoutMs,
        stored: () => stored,
        onAssigned: partitions => {
          for (const partition of partitions) stored.add(partition);
          this.#assign(partitions, shared);
        },
        onFailed: error => this.#settle!.reject(error),
        signal,
      });
      this.#member = await untilAborted(joining, {signal, late: member => member[Symbol.asyncDispose]()});
      if (this.#stopping) this.#finishAll();
      await settled;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#stop.abort();
      for (const partition of [...this.#running.keys()]) this.#end(partition);
      await Promise.all(this.#ending.values());
      await this.#member?.[Symbol.asyncDispose]();
    }
  }

  /** Lets the run end: what has been read is committed, and the group left. */
  stop(): void {
    if (this.#stopping) return;
    this.#stop.abort();
    if (this.#member !== undefined) this.#finishAll();
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  #finishAll(): void {
    for (const {task} of this.#running.values()) task?.finish();
    Promise.all([...this.#running.values()].map(({done}) => done)).then(this.#settle!.resolve, this.#settle!.reject);
  }

  #assign(partitions: readonly number[], shared: SharedOptions): void {
    if (this.#stopping) return;
    shared.onEvent({type: 'assigned', partitions});
    for (const partition of this.#running.keys()) if (!partitions.includes(partition)) this.#end(partition);
    for (const partition of partitions) {
      if (this.#running.has(partition)) continue;
      const running: Running = {controller: new AbortController(), task: undefined, done: Promise.resolve()};
      this.#running.set(partition, running);
      running.done = this.#work(partition, {running, shared}).catch(error => {
        if (!running.controller.signal.aborted) this.#settle!.reject(error);
      });
    }
  }

  #end(partition: number): void {
    const {controller, done} = this.#running.get(partition)!;
    this.#running.delete(partition);
    controller.abort(new PipelineError('Cannot go on with a partition as this worker must have it: it has no longer'));
    const ended = done.finally(() => {
      if (this.#ending.get(partition) === ended) this.#ending.delete(partition);
    });
    this.#ending.set(partition, ended);
  }

  /** Runs tasks until one ends because the worker stops, the partition is taken away, or a failure does not pass. */
  async #work(partition: number, {running, shared}: {running: Running; shared: SharedOptions}): Promise<void> {
    const {signal} = running.controller;
    const {onEvent} = shared;
    await this.#ending.get(partition);
    let discarded = false;
    for (let retryMs = shortestRetryMs; !signal.aborted; ) {
      let started = false;
      const task = new PartitionTask(
        {
          ...shared,
          partition,
          onEvent: event => {
            if (event.type === 'committed') {
              started = true;
              discarded = false;
            }
            onEvent(event);
          },
        },
        signal,
      );
      running.task = task;
      if (this.#stopping) task.finish();
      try {
        await task.run();
        onEvent({type: 'stopped', partition});
        return;
      } catch (error) {
        if (signal.aborted) break;
        if (this.#stopping) {
          // Whoever has the partition next goes on from the last checkpoint.
          if (error instanceof FencedError || (error instanceof PipelineError && error.retriable)) break;
          throw error;
        }
        if (error instanceof FencedError) {
          onEvent({type: 'fenced', partition, error});
          // If the group has given the partition away, that is now learnt, and the signal aborted.
          const either = AbortSignal.any([signal, this.#stop.signal]);
          await untilAborted(Promise.resolve(this.#member?.confirmed()), {signal: either}).catch(error => {
            if (!either.aborted) throw error;
          });
          if (this.#stopping) break;
        } else if (error instanceof CorruptMemoryError && !discarded) {
          discarded = true;
          onEvent({type: 'discarded', partition, error});
          await shared.stores.discard(partition);
        } else if (error instanceof PipelineError && error.retriable) {
          if (started) retryMs = shortestRetryMs;
          onEvent({type: 'retrying', partition, error, retryMs});
          await delay(retryMs, undefined, {signal}).catch(() => {});
          retryMs = Math.min(retryMs * 2, longestRetryMs);
        } else {
          throw error;
        }
      }
    }
    onEvent({type: 'stopped', partition});
  }

  #shared(topics: PreparedTopics): SharedOptions {
    const {fetchBytes, heldBytes, fingerprint} = this.#options;
    return {
      ...this.#options,
      ...topics,
      fingerprint,
      // One part is given out while the next is read.
      fetchBytes: () => Math.max(1, Math.min(fetchBytes, Math.floor(heldBytes / 2 / Math.max(1, this.#running.size)))),
    };
  }
}

type SharedOptions = Omit<PartitionTaskOptions, 'partition'>;

type WithoutDefault = 'deadLetters' | 'fingerprint';
type CompleteOptions = Required<Omit<KafkaWorkerOptions, WithoutDefault>> & Pick<KafkaWorkerOptions, WithoutDefault>;
