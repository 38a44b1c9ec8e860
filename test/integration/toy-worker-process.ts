import {setTimeout as delay} from 'node:timers/promises';
import {KafkajsClient, LmdbPartitionStores} from '../../connectors/kafka/index.ts';
import {PipelineError} from '../../errors.ts';
import type {ToyModelOptions} from './toy-model.ts';
import {toyWorker} from './toy-pipeline.ts';

/** What a worker process is told in its first argument, as JSON. */
export type ToyProcessOptions = {
  readonly brokers: readonly string[];
  readonly application: string;
  readonly topic: string;
  readonly output: string;
  readonly folder: string;
  readonly checkpointMs: number;
  readonly sessionTimeoutMs: number;
  readonly guarantee?: 'exactly-once' | 'at-least-once';
  readonly model?: ToyModelOptions & {readonly stepMs?: number};
  readonly checkpointBytes?: number;
};

const {brokers, folder, ...options} = JSON.parse(process.argv[2]!) as ToyProcessOptions;
// Its parent has gone, however it went.
process.on('disconnect', () => process.exit(1));
const client = await connect();
let {stepMs = 0} = options.model ?? {};
const worker = toyWorker({
  ...options,
  model: {...options.model, stepMs: () => stepMs},
  client,
  stores: new LmdbPartitionStores(folder),
  onEvent: event => {
    if (event.type !== 'restoring') {
      const text = JSON.stringify(event, (_, value) =>
        typeof value === 'bigint' ? value.toString() : value instanceof Error ? value.message : value,
      );
      process.send?.(JSON.parse(text));
    }
  },
});
process.on('message', message => {
  if (message === 'stop') worker.stop();
  if (message === 'hurry') stepMs = 0;
});
try {
  await worker.run();
  await client[Symbol.asyncDispose]();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${(error as Error).stack}\n`);
  process.exit(2);
}

/** Tries again as long as brokers are away, as whoever keeps a worker running would. */
async function connect(): Promise<KafkajsClient> {
  const onWarning = (message: string) => process.send?.({type: 'warning', message});
  for (;;) {
    try {
      return await KafkajsClient.open({brokers, onWarning});
    } catch (error) {
      if (!(error instanceof PipelineError && error.retriable)) throw error;
      await delay(500);
    }
  }
}
