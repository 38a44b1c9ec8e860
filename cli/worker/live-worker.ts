import type {Logger} from 'pino';
import {InMemoryPartitionStores} from '../../connectors/kafka/in-memory-partition-stores.ts';
import type {KafkaClient} from '../../connectors/kafka/kafka-client.ts';
import {KafkaWorker, type RunWorkerOptions} from '../../connectors/kafka/kafka-worker.ts';
import {LmdbPartitionStores} from '../../connectors/kafka/lmdb-partition-stores.ts';
import type {PartitionContext} from '../../connectors/kafka/partition-task.ts';
import type {Model} from '../../model/model.ts';
import {ScopedModel} from '../../model/scoped-model.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import {DecodeStream} from '../../operators/decode-stream.ts';
import {EncodeMessageStream} from '../../operators/encode-message-stream.ts';
import {MessageDecoder} from '../../operators/message-decoder.ts';
import {RememberStream} from '../../operators/remember-stream.ts';
import type {Message} from '../../pipeline/message.ts';
import {Pipeline} from '../../pipeline/pipeline.ts';
import {MeasuredStores} from './measured-stores.ts';
import {ReadingTotals} from './reading-totals.ts';
import {UndecodableLetters} from './undecodable-letters.ts';
import {workerEventLog} from './worker-event-log.ts';
import type {WorkerConfig} from './worker-fields.ts';
import type {WorkerHealth} from './worker-health.ts';
import {WorkerMetrics} from './worker-metrics.ts';

export type LiveWorkerOptions = {
  readonly config: WorkerConfig;
  readonly client: KafkaClient;
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly log: Logger;
  readonly health: WorkerHealth;
};

const summaryEveryMs = 60_000;

/** Reads a topic as a configuration says, and tells about it. */
export class LiveWorker {
  readonly metrics: WorkerMetrics;
  readonly #options: LiveWorkerOptions;
  readonly #worker: KafkaWorker;
  readonly #totals = new ReadingTotals();

  /** @throws {RangeError | TypeError} If fields of the configuration do not fit the model. */
  constructor(options: LiveWorkerOptions) {
    const {config, client, model, log, health} = options;
    this.#options = options;
    const {'store.folder': folder, 'store.dtype': dtype} = config;
    const {fingerprint} = model;
    const stores = new MeasuredStores(
      config['store.persistent']
        ? new LmdbPartitionStores(folder, {dtype, fingerprint})
        : new InMemoryPartitionStores(),
    );
    const topic = config['input.topic'];
    const deadLetters = config['input.undecodable'] === 'dead-letter' ? config['deadLetters.topic'] : undefined;
    this.metrics = new WorkerMetrics({topic, model, totals: this.#totals, stores, health});
    const write = workerEventLog(log, topic);
    this.#worker = new KafkaWorker({
      client,
      application: config.application,
      topic,
      output: config['output.topic'],
      ...(deadLetters !== undefined && {deadLetters}),
      stores,
      pipeline: context => this.#pipeline(context),
      guarantee: config['delivery.guarantee'],
      startAt: config['input.startAt'],
      fingerprint,
      dtype,
      checkpointMs: config['delivery.checkpointEvery'],
      checkpointBytes: config['delivery.checkpointBytes'],
      fetchBytes: config['limits.fetchBytes'],
      heldBytes: config['limits.heldBytes'],
      sessionTimeoutMs: config['delivery.sessionTimeout'],
      transactionTimeoutMs: config['delivery.transactionTimeout'],
      onEvent: event => {
        health.observe(event);
        this.metrics.observe(event);
        write(event);
      },
    });
  }

  /** As {@link KafkaWorker.run}. */
  async run(options: RunWorkerOptions = {}): Promise<void> {
    const {log} = this.#options;
    let tokens = 0;
    const timer = setInterval(() => {
      const before = tokens;
      tokens = this.#totals.total('tokens');
      const perSecond = Math.round((1000 * (tokens - before)) / summaryEveryMs);
      log.info({tokensPerSecond: perSecond, tokens, segments: this.#totals.total('segments')}, 'progress');
    }, summaryEveryMs);
    try {
      await this.#worker.run(options);
    } finally {
      clearInterval(timer);
    }
  }

  /** As {@link KafkaWorker.stop}. */
  stop(): void {
    this.#options.health.stopping();
    this.#worker.stop();
  }

  #pipeline({partition, source, store, deadLetters, checkpoints, endOffset, own}: PartitionContext): Pipeline<Message> {
    const {config, model, tokenizer, log, health} = this.#options;
    const scoped = own(new ScopedModel(model));
    const letters =
      config['input.undecodable'] === 'fail'
        ? undefined
        : new UndecodableLetters({
            deadLetters,
            log: log.child({topic: config['input.topic'], partition}),
            onSkipped: () => this.metrics.skipped(),
          });
    const {'input.textField': textField, 'input.idField': idField} = config;
    const {'reading.idle': idleMs, 'reading.expireAfter': expireAfterMs} = config;
    const decoder = () => new MessageDecoder({format: config['input.format'], idField, ...(textField && {textField})});
    return Pipeline.from(source)
      .through(() => new DecodeStream(decoder(), letters && {deadLetters: letters}))
      .through(({signal}) => {
        const remember = new RememberStream({
          model: scoped,
          store,
          tokenizer,
          checkpoints,
          signal,
          every: config['reading.every'],
          batch: config['reading.batch'],
          maxWaitMs: config['reading.maxWait'],
          bufferedTokens: config['reading.bufferedSegments'] * model.config.segmentLength,
          // As partitions come and go, those that stay have more of it or less.
          openMemoryBytes: () => config['reading.openMemory'] / Math.max(1, health.partitions.size),
          strict: config['input.strict'],
          ...(idleMs && {idleMs}),
          ...(expireAfterMs && {expireAfterMs}),
          onSegment: segment => this.metrics.readSegment(segment),
        });
        const reading = {
          get statistics() {
            return remember.statistics;
          },
          get hot() {
            return remember.hot;
          },
          get endOffset() {
            return endOffset();
          },
        };
        own(this.#totals.follow(partition, reading));
        return remember;
      })
      .through(
        () =>
          new EncodeMessageStream({
            format: config['output.format'],
            cloudEventsSource: config['output.cloudEventsSource'],
          }),
      );
  }
}
