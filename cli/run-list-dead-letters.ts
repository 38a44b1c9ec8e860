import {isUtf8} from 'node:buffer';
import {DeadLetterTopic, type ListedDeadLetter} from '../connectors/kafka/dead-letter-topic.ts';
import {countOf} from './count-of.ts';
import {connectKafka} from './worker/connect-kafka.ts';
import {deadLetterTopicOf} from './worker/dead-letter-topic-of.ts';
import {readWorkerConfig} from './worker/read-worker-config.ts';
import {workerLog} from './worker/worker-log.ts';

export type ListDeadLettersOptions = {
  /** Assignments of fields. */
  readonly set: readonly string[];
  /** Those as well that were replayed. */
  readonly all?: boolean;
  readonly json?: boolean;
};

/** Prints the dead letters of a worker. */
export async function runListDeadLetters(path: string, {set, all, json}: ListDeadLettersOptions): Promise<void> {
  const {values: config} = await readWorkerConfig(path, {assignments: set});
  await using client = await connectKafka(config, workerLog({level: 'error', format: 'text'}));
  let count = 0;
  let replayed = 0;
  for await (const letter of new DeadLetterTopic(client, deadLetterTopicOf(config)).list()) {
    if (letter.replayed) replayed++;
    if (letter.replayed && !all) continue;
    count++;
    if (json) console.log(JSON.stringify(asJson(letter)));
    else console.log(asText(letter));
  }
  if (!json) console.log(`${countOf(count, 'dead letter')}, ${replayed} replayed`);
}

function asText({source, timestamp, key, message, replayed}: ListedDeadLetter): string {
  return `${source}  ${new Date(timestamp).toISOString()}  ${JSON.stringify(key)}  ${message}${replayed ? '  (replayed)' : ''}`;
}

function asJson({source, timestamp, key, errorName, message, content, last, replayed}: ListedDeadLetter): object {
  const [partition, offset] = source.split('@');
  const bytes = Buffer.from(content);
  const body = isUtf8(bytes) ? {content: bytes.toString()} : {contentBase64: bytes.toString('base64')};
  return {partition, offset, key, timestamp, error: errorName, message, ...body, last, replayed};
}
