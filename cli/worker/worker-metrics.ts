import {Counter, collectDefaultMetrics, Gauge, Histogram, Registry} from 'prom-client';
import type {WorkerEvent} from '../../connectors/kafka/worker-event.ts';
import type {ReadSegment} from '../../operators/segment-reader.ts';
import type {MeasuredStores} from './measured-stores.ts';
import type {ReadingTotals} from './reading-totals.ts';
import type {WorkerHealth} from './worker-health.ts';

export type WorkerMetricsOptions = {
  readonly topic: string;
  readonly model: {readonly name: string; readonly fingerprint: string};
  readonly totals: ReadingTotals;
  readonly stores: Pick<MeasuredStores, 'sizes'>;
  readonly health: WorkerHealth;
};

const segmentBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
const checkpointBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** How far a partition is committed, and when its last record was written. */
type Committed = {readonly nextOffset: bigint; readonly timestamp: number | undefined};

/** What a worker measures; docs/run.md lists it. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #segmentSeconds: Histogram;
  readonly #checkpointSeconds: Histogram;
  readonly #results: Counter;
  readonly #deadLetters: Counter<'action'>;
  readonly #transactions: Counter<'outcome'>;
  readonly #retries: Counter;
  readonly #restoredBytes: Counter;
  readonly #restoreSeconds: Gauge<'partition'>;
  readonly #restoreRemaining: Gauge<'partition'>;
  readonly #committed = new Map<number, Committed>();
  readonly #totals: ReadingTotals;
  readonly #restored = new Map<number, number>();

  constructor({topic, model, totals, stores, health}: WorkerMetricsOptions) {
    this.#totals = totals;
    const registers = [this.registry];
    this.registry.setDefaultLabels({topic});
    collectDefaultMetrics({register: this.registry});
    const counter = <T extends string = never>(name: string, help: string, labelNames: readonly T[] = []) =>
      new Counter({name: `palimpsest_${name}`, help, labelNames, registers});
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({name: `palimpsest_${name}`, help, buckets, registers});
    /** Asks for values when they are fetched. */
    const gauge = (name: string, help: string, values: () => Iterable<readonly [partition: number, value: number]>) =>
      new Gauge({
        name: `palimpsest_${name}`,
        help,
        labelNames: ['partition'],
        registers,
        collect() {
          this.reset();
          for (const [partition, value] of values()) this.set({partition}, value);
        },
      });
    const total = (name: string, help: string, value: () => number) =>
      new Counter({
        name: `palimpsest_${name}`,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(value());
        },
      });

    new Gauge({
      name: 'palimpsest_model_info',
      help: 'Model that reads; always 1',
      labelNames: ['model', 'fingerprint'],
      registers,
    }).set({model: model.name, fingerprint: model.fingerprint}, 1);
    const states = new Gauge({
      name: 'palimpsest_partitions',
      help: 'Partitions that this worker has, by what it does with them',
      labelNames: ['state'],
      registers,
      collect() {
        this.reset();
        for (const state of ['opening', 'restoring', 'reading', 'retrying']) this.set({state}, 0);
        for (const state of health.partitions.values()) states.inc({state});
      },
    });

    gauge('consumer_lag_records', 'Offsets between what is committed and the end of the partition', () =>
      this.#lag(health, (_, behind) => behind),
    );
    gauge('consumer_lag_seconds', 'Age of the last committed record while there are later ones, else 0', () =>
      this.#lag(health, ({timestamp}, behind) => {
        if (behind === 0) return 0;
        return timestamp === undefined ? undefined : Math.max(0, (Date.now() - timestamp) / 1000);
      }),
    );
    gauge('committed_offset', 'Offset from which the partition would be read on', () =>
      this.#lag(health, ({nextOffset}) => Number(nextOffset)),
    );

    total('tokens_total', 'Tokens read by the model', () => totals.total('tokens'));
    total('segments_total', 'Segments read by the model', () => totals.total('segments'));
    total('text_bytes_total', 'UTF-8 bytes of the tokens read', () => totals.total('bytes'));
    total('documents_ended_total', 'Documents whose end was read', () => totals.total('documents'));
    total('documents_expired_total', 'Documents forgotten as no record had come for too long', () =>
      totals.total('expiredDocuments'),
    );
    total('text_replaced_total', 'Ill-formed UTF-8 sequences read as U+FFFD', () => totals.total('replaced'));
    this.#segmentSeconds = histogram(
      'segment_seconds',
      'From the text of a segment being read to its result',
      segmentBuckets,
    );
    this.#checkpointSeconds = histogram(
      'checkpoint_seconds',
      'From a checkpoint meeting the sink to its transaction and memories being committed',
      checkpointBuckets,
    );
    this.#results = counter('results_total', 'Results committed');
    this.#deadLetters = counter('dead_letters_total', 'Messages that could not be decoded', ['action']);
    this.#transactions = counter('transactions_total', 'Checkpoints by what became of them', ['outcome']);
    this.#retries = counter('partition_restarts_total', 'Times that a partition was started anew after a failure');

    gauge('hot_documents', 'Documents open in the engine or not stored yet', () =>
      mapped(totals.readings, ({hot}) => hot.documents),
    );
    gauge('hot_bytes', 'Bytes of their memories in the engine', () => mapped(totals.readings, ({hot}) => hot.bytes));
    gauge('stored_documents', 'Documents in the local store', () => mapped(stores.sizes(), ({documents}) => documents));
    gauge('stored_bytes', 'Bytes of their records in the local store', () =>
      mapped(stores.sizes(), ({bytes}) => bytes),
    );
    this.#restoredBytes = counter('restored_bytes_total', 'Bytes of memories read from the changelog');
    this.#restoreSeconds = new Gauge({
      name: 'palimpsest_restore_seconds',
      help: 'How long the last restore of the partition took, or has taken so far',
      labelNames: ['partition'],
      registers,
    });
    this.#restoreRemaining = new Gauge({
      name: 'palimpsest_restore_remaining_records',
      help: 'Offsets of the changelog that are still to be read',
      labelNames: ['partition'],
      registers,
    });
    for (const action of ['skip', 'dead-letter']) this.#deadLetters.inc({action}, 0);
    for (const outcome of ['committed', 'aborted', 'fenced']) this.#transactions.inc({outcome}, 0);
  }

  readSegment({ms}: ReadSegment): void {
    this.#segmentSeconds.observe(ms / 1000);
  }

  skipped(): void {
    this.#deadLetters.inc({action: 'skip'});
  }

  observe(event: WorkerEvent): void {
    switch (event.type) {
      case 'restoring':
      case 'restored': {
        const {partition, bytes, offset, endOffset, ms} = event;
        const before = this.#restored.get(partition) ?? 0;
        // A restore that begins anew counts from nothing again.
        this.#restoredBytes.inc(bytes >= before ? bytes - before : bytes);
        this.#restored.set(partition, event.type === 'restored' ? 0 : bytes);
        this.#restoreSeconds.set({partition}, ms / 1000);
        this.#restoreRemaining.set({partition}, Number(endOffset - offset));
        return;
      }
      case 'started':
        this.#committed.set(event.partition, {nextOffset: event.nextOffset, timestamp: undefined});
        return;
      case 'committed':
        this.#committed.set(event.partition, event);
        this.#transactions.inc({outcome: 'committed'});
        this.#checkpointSeconds.observe(event.ms / 1000);
        this.#results.inc(event.results);
        this.#deadLetters.inc({action: 'dead-letter'}, event.deadLetters);
        return;
      case 'fenced':
        this.#transactions.inc({outcome: 'fenced'});
        this.#retries.inc();
        return;
      case 'retrying':
        this.#transactions.inc({outcome: 'aborted'});
        this.#retries.inc();
        return;
      case 'stopped':
        this.#committed.delete(event.partition);
        this.#restoreSeconds.remove({partition: event.partition});
        this.#restoreRemaining.remove({partition: event.partition});
    }
  }

  *#lag(
    {partitions}: WorkerHealth,
    value: (committed: Committed, behind: number) => number | undefined,
  ): Generator<readonly [number, number]> {
    for (const [partition, committed] of this.#committed) {
      const endOffset = this.#totals.readings.get(partition)?.endOffset ?? committed.nextOffset;
      const lag = value(committed, Math.max(0, Number(endOffset - committed.nextOffset)));
      if (partitions.has(partition) && lag !== undefined) yield [partition, lag];
    }
  }
}

function* mapped<T>(
  entries: Iterable<readonly [number, T]>,
  value: (entry: T) => number,
): Generator<readonly [number, number]> {
  for (const [partition, entry] of entries) yield [partition, value(entry)];
}
