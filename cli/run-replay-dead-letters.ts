import {DeadLetterTopic} from '../connectors/kafka/dead-letter-topic.ts';
import {countOf} from './count-of.ts';
import {connectKafka} from './worker/connect-kafka.ts';
import {deadLetterTopicOf} from './worker/dead-letter-topic-of.ts';
import {readWorkerConfig} from './worker/read-worker-config.ts';
import {workerLog} from './worker/worker-log.ts';

export type ReplayDeadLettersOptions = {
  /** Assignments of fields. */
  readonly set: readonly string[];
  /** Documents whose letters are meant; all if there is none. */
  readonly key: readonly string[];
};

/** Writes dead letters of a worker into its input topic again. */
export async function runReplayDeadLetters(path: string, {set, key}: ReplayDeadLettersOptions): Promise<void> {
  const {values: config} = await readWorkerConfig(path, {assignments: set});
  await using client = await connectKafka(config, workerLog({level: 'error', format: 'text'}));
  const input = config['input.topic'];
  const count = await new DeadLetterTopic(client, deadLetterTopicOf(config)).replay({
    input,
    application: config.application,
    keys: key.length === 0 ? undefined : new Set(key),
    onProgress: replayed => process.stderr.write(`Replayed ${countOf(replayed, 'dead letter')}\n`),
  });
  console.log(`Replayed ${countOf(count, 'dead letter')} into topic "${input}"`);
}
