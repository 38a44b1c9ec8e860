import {setTimeout as delay} from 'node:timers/promises';
import {readConfig} from '../../../cli/config/read-config.ts';
import {checkWorkerConfig} from '../../../cli/worker/check-worker-config.ts';
import {LiveWorker} from '../../../cli/worker/live-worker.ts';
import {type WorkerConfig, workerFields} from '../../../cli/worker/worker-fields.ts';
import {WorkerHealth} from '../../../cli/worker/worker-health.ts';
import {workerLog} from '../../../cli/worker/worker-log.ts';
import type {OutgoingMessage} from '../../../connectors/kafka/kafka-client.ts';
import {ByteTokenizer} from '../../../model/tokenizer/byte-tokenizer.ts';
import {InMemoryKafka} from '../../driver/in-memory-kafka.ts';
import {ToyModel, type ToyModelOptions} from '../../integration/toy-model.ts';
import {readTopic} from '../../integration/toy-topics.ts';

const base = `
application: app
kafka: {brokers: [none:1]}
input: {topic: in}
output: {topic: out}
deadLetters: {topic: letters}
model: {folder: none}
store: {persistent: false}
delivery: {checkpointEvery: 50ms}
log: {level: debug}
`;

export function workerConfig(...assignments: readonly string[]): WorkerConfig {
  return readConfig(workerFields, {path: 'worker.yaml', text: base, assignments}, checkWorkerConfig).values;
}

export type RunningWorker = {
  readonly worker: LiveWorker;
  readonly health: WorkerHealth;
  /** What was logged, line by line. */
  readonly logged: Record<string, unknown>[];
  readonly done: Promise<void>;
  stop(): Promise<void>;
};

/** Topics in memory, and workers over them with the toy model. */
export class WorkerBench {
  readonly kafka = new InMemoryKafka();
  #writers = 0;

  static async open({partitions = 1} = {}): Promise<WorkerBench> {
    const bench = new WorkerBench();
    await bench.kafka.createTopic('in', {partitions});
    for (const topic of ['out', 'letters']) await bench.kafka.createTopic(topic, {partitions: 1});
    return bench;
  }

  async write(...messages: readonly (Omit<OutgoingMessage, 'value'> & {value: string; partition?: number})[]) {
    const producer = await this.kafka.openProducer(`writer ${this.#writers++}`);
    for (const {partition = 0, value, ...message} of messages) {
      await producer.send('in', partition, [{...message, value: Buffer.from(value)}]);
    }
    await producer.commit();
  }

  start(config: WorkerConfig, {signal, ...toy}: ToyModelOptions & {signal?: AbortSignal} = {}): RunningWorker {
    const logged: Record<string, unknown>[] = [];
    const log = workerLog({
      level: config['log.level'],
      format: 'json',
      stream: {write: line => logged.push(JSON.parse(line))},
    });
    const health = new WorkerHealth();
    const model = new ToyModel({segmentLength: 8, ...toy});
    const worker = new LiveWorker({config, client: this.kafka, model, tokenizer: new ByteTokenizer(), log, health});
    const done = worker.run(signal === undefined ? {} : {signal});
    done.catch(() => {});
    return {
      worker,
      health,
      logged,
      done,
      stop: () => {
        worker.stop();
        return done;
      },
    };
  }

  /** All results that can be read, as document, segments, tokens and whether they are final. */
  async results(): Promise<[id: string, segments: number, tokens: number, final: boolean][]> {
    const messages = await readTopic(this.kafka, 'out');
    return messages.map(({value}) => {
      const {id, segments, tokens, final} = JSON.parse(Buffer.from(value!).toString());
      return [id, segments, tokens, final];
    });
  }

  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (let waits = 0; !(await condition()); waits++) {
      if (waits > 1500) throw new Error(`Waited in vain for ${what}`);
      await delay(10);
    }
  }

  async resultCount(count: number): Promise<void> {
    await this.until(async () => (await this.results()).length >= count, `${count} results`);
  }
}
